"""The folder of a training run: what is in it, whose it is, and where an interrupted run goes on."""

import contextlib
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from pydantic import BaseModel, ConfigDict, NonNegativeInt, ValidationError

from utils.errors import DataError, UsageError
from utils.files import LEFTOVERS
from utils.identity import Identity, goes_on, keep
from utils.reading import read_text
from utils.scores import RESULTS, SCORES
from utils.tables import write_json

PACKAGES = ("torch", "pytorch-lightning", "numpy")
# What training and testing write. Nothing else in the folder is ever removed.
WRITTEN = (
    *("run/identity.json", "run/summary.json", "run/metrics.csv", "run/samples/epoch=*.png"),
    *("run/tensorboard/*tfevents*", "run/tensorboard/hparams.yaml", "checkpoints/*.ckpt"),
    *(f"eval/{name}" for name in RESULTS),
)
WORTH_KEEPING = ("checkpoints/*.ckpt", "run/summary.json", f"eval/{SCORES}")


class Summary(BaseModel):
    """How a run came to its end: after how many epochs, and the best value of the figure that is monitored."""

    model_config = ConfigDict(strict=True, frozen=True)

    epochs: NonNegativeInt
    stopped_early: bool
    monitor: str
    best: float | None


@dataclass(frozen=True)
class RunFolder:
    """`<o>/<experiment_name>/`: checkpoints (the best is tested), logs and pictures in `run`, scores."""

    root: Path

    @classmethod
    def inside(cls, out: Path, name: str) -> "RunFolder":
        """The folder of a run inside the folder of experiments; a name that leads anywhere else is a `UsageError`."""
        path = Path(name)
        if path.is_absolute() or ".." in path.parts or path == Path():
            raise UsageError(f"--experiment_name: found {name!r}, expected the name of a folder inside --o")
        return cls(out / path)

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def checkpoints(self) -> Path:
        return self.root / "checkpoints"

    @property
    def last(self) -> Path:
        """The checkpoint from which training goes on."""
        return self.checkpoints / "last.ckpt"

    @property
    def best(self) -> Path:
        return self.checkpoints / "best.ckpt"

    @property
    def evaluation(self) -> Path:
        return self.root / "eval"

    @property
    def _identity(self) -> Path:
        return self.run / "identity.json"

    @property
    def _summary(self) -> Path:
        return self.run / "summary.json"

    def begin(
        self, identity: Identity, chkpt: Path | None, *, overwrite: bool, max_epochs: int | None = None
    ) -> Path | None:
        """Take the folder for a run, and find where the run goes on. A run that left nothing is as good as none.

        Args:
            identity: of the run.
            chkpt: where the user wants it to go on; by default, where the folder's own run stopped.
            overwrite: whether other work, or what is left of it, may be removed.
            max_epochs: after which the run ends: a longer one is other work.

        Returns:
            The checkpoint to go on from; None to start.

        Raises:
            UsageError: If the folder holds other work, or the same without its last checkpoint.
        """
        kept = sorted(path for pattern in WORTH_KEEPING for path in self.root.glob(pattern))
        overwrite = overwrite or not kept
        if not self._identity.exists() and not overwrite:
            raise UsageError(
                f"{self._identity}: missing, so nobody knows which run {kept[0].relative_to(self.root)} belongs to; "
                "choose another --o or --experiment_name, or pass --overwrite to replace it"
            )
        if goes_on(self._identity, identity, overwrite=overwrite) and not (overwrite and self._longer_than(max_epochs)):
            if chkpt or self.last.exists():
                return chkpt or self.last
            if not overwrite:
                raise UsageError(
                    f"{self.last}: missing beside {kept[0].relative_to(self.root)}; put it back, set "
                    "experiment.chkpt to another checkpoint, or pass --overwrite to start over"
                )
        self._clear(spared=chkpt)
        keep(self._identity, identity, versions={name: version(name) for name in PACKAGES})
        return chkpt

    def _clear(self, spared: Path | None) -> None:
        """Remove what training and testing wrote, and folders that are empty then."""
        for path in [path for pattern in WRITTEN for path in self.root.glob(pattern)]:
            if spared is None or not spared.exists() or not path.samefile(spared):
                path.unlink()
        for name in ("run/samples", "run/tensorboard", "run", "checkpoints", "eval"):
            with contextlib.suppress(OSError):
                (self.root / name).rmdir()

    def sweep(self) -> None:
        """Remove files that a killed run was about to write."""
        for folder in (self.run, self.run / "samples", self.checkpoints):
            for path in folder.glob(LEFTOVERS):
                path.unlink(missing_ok=True)

    def finished(self, max_epochs: int) -> bool:
        """Say whether there is nothing left to train; a summary that cannot be read is a `DataError`."""
        summary = self._read_summary()
        return summary is not None and (summary.stopped_early or summary.epochs >= max_epochs)

    def _longer_than(self, max_epochs: int | None) -> bool:
        """Whether the run ended later than that, or nobody knows when."""
        try:
            summary = self._read_summary()
        except DataError:
            return True
        return summary is not None and max_epochs is not None and summary.epochs > max_epochs

    def _read_summary(self) -> Summary | None:
        if not self._summary.exists():
            return None
        text = read_text(self._summary, "the summary of a run")
        try:
            return Summary.model_validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise DataError(f"{self._summary}: {where}: {first['msg']}; remove it to go on with training") from error

    def finish(self, summary: Summary) -> None:
        """Record that the run came to its end."""
        write_json(self._summary, summary.model_dump())
