"""The folder of a training run: what is in it, whose it is, and where an interrupted run goes on."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from src.rsgan.checkpoint import IDENTITY, read_checkpoint
from src.rsgan.configuration import ExperimentConfig
from utils.errors import DataError, UsageError
from utils.files import new_file
from utils.tables import write_json

# What may change while a run stays the same: how long it goes on, where files are, how they are read, how it is tested.
FREE = (
    "experiment.chkpt",
    "experiment.max_epochs",
    "dataset.root",
    "dataset.cache",
    "dataset.dataloader.num_workers",
    "reference_classifier",
    "testing",
)
PACKAGES = ("torch", "pytorch-lightning", "numpy")
SHOWN = 3  # differences named in an error


@dataclass(frozen=True)
class RunFolder:
    """`<o>/<experiment_name>/`.

    Attributes:
        root: the folder.
    """

    root: Path

    @property
    def run(self) -> Path:
        """Logs and pictures."""
        return self.root / "run"

    @property
    def checkpoints(self) -> Path:
        """`epoch=N.ckpt`, `best.ckpt`, `last.ckpt`."""
        return self.root / "checkpoints"

    @property
    def last(self) -> Path:
        """The checkpoint from which training goes on."""
        return self.checkpoints / "last.ckpt"

    @property
    def best(self) -> Path:
        """The checkpoint that is tested."""
        return self.checkpoints / "best.ckpt"

    @property
    def evaluation(self) -> Path:
        """Scores and pictures of testing."""
        return self.root / "eval"

    @property
    def _config(self) -> Path:
        return self.run / "config.yaml"

    @property
    def _summary(self) -> Path:
        return self.run / "summary.json"

    def claim(self, config: ExperimentConfig, identity: dict[str, Any]) -> Path | None:
        """Take the folder for a run, and find where the run goes on.

        Args:
            config: its configuration.
            identity: see `identify`.

        Returns:
            The checkpoint to go on from: the configuration's, else the folder's last; None to start.

        Raises:
            UsageError: If the folder holds anything else, or the run of another configuration, seed or data set.
            DataError: If the checkpoint cannot be read or belongs to another run.
        """
        if self._config.is_file():
            held = yaml.safe_load(self._config.read_text(encoding="utf-8"))
            self._compare(held, identity, f"{self.root}: holds the run of another configuration")
        elif self.root.is_file() or (self.root.is_dir() and any(self.root.iterdir())):
            raise UsageError(
                f"{self.root}: found something that is not a run of this project, which is never replaced; choose "
                "another --o or --experiment_name"
            )
        asked = config.experiment.chkpt
        checkpoint = Path(asked) if asked else self.last
        if not asked and not checkpoint.exists():
            checkpoint = None
        else:
            self._compare(read_checkpoint(checkpoint)[IDENTITY], identity, f"{checkpoint}: belongs to another run")
        self._record(config, identity)
        return checkpoint

    @staticmethod
    def _compare(held: object, identity: dict[str, Any], message: str) -> None:
        if not isinstance(held, dict):
            raise DataError(f"{message}; choose another --o or --experiment_name")
        found = differences(held, identity)
        if found:
            raise UsageError(f"{message} ({found}); choose another --o or --experiment_name, or take the same one")

    def _record(self, config: ExperimentConfig, identity: dict[str, Any]) -> None:
        versions = {name: version(name) for name in PACKAGES}
        with new_file(self._config) as temporary:
            temporary.write_text(yaml.safe_dump(identity | {"versions": versions}, sort_keys=False), encoding="utf-8")

    def finished(self, max_epochs: int) -> bool:
        """Say whether there is nothing left to train.

        Args:
            max_epochs: as the configuration has it now.

        Returns:
            True if the run came to its end, or would not go further.
        """
        if not self._summary.is_file():
            return False
        summary = json.loads(self._summary.read_text(encoding="utf-8"))
        return summary["stopped_early"] or summary["epochs"] >= max_epochs

    def finish(self, *, epochs: int, stopped_early: bool, monitor: str, best: float | None) -> None:
        """Record that the run came to its end.

        Args:
            epochs: trained.
            stopped_early: whether it stopped for want of improvement.
            monitor: figure that chose the best checkpoint.
            best: its value there.
        """
        summary = {"epochs": epochs, "stopped_early": stopped_early, "monitor": monitor, "best": best}
        write_json(self._summary, summary)


def identify(config: ExperimentConfig, seed: int, data: str) -> dict[str, Any]:
    """Say what makes a run the run that it is.

    Args:
        config: its configuration.
        seed: its seed.
        data: fingerprint of its data.

    Returns:
        Plain values only.
    """
    return {**config.model_dump(mode="json"), "seed": seed, "data": data}


def differences(held: Mapping[str, Any], expected: Mapping[str, Any], *, only: Sequence[str] = ()) -> str:
    """Name what differs between two runs, apart from what is free to.

    Args:
        held: what was found.
        expected: what was asked for.
        only: compare these keys, with all below them; everything by default.

    Returns:
        The first differences and the number of the others; nothing if there is none.
    """
    found, wanted = dict(_fixed(held)), dict(_fixed(expected))
    differing = [
        key
        for key in sorted(found | wanted)
        if found.get(key) != wanted.get(key) and (not only or f"{key}.".startswith(tuple(f"{one}." for one in only)))
    ]
    shown = "; ".join(f"{key}: found {found.get(key)}, expected {wanted.get(key)}" for key in differing[:SHOWN])
    return shown + (f" and {len(differing) - SHOWN} more" if len(differing) > SHOWN else "")


def _fixed(identity: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Keys and values that may not change while a run goes on, flattened."""
    for key, value in identity.items():
        name = f"{prefix}{key}"
        if name in FREE or name == "versions":
            continue
        if isinstance(value, Mapping):
            yield from _fixed(value, f"{name}.")
        else:
            yield name, value
