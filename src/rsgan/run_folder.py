"""The folder of a training run: what is in it, whose it is, and where an interrupted run goes on."""

import contextlib
from importlib.metadata import version
from pathlib import Path

from pydantic import NonNegativeInt

from src.rsgan.checkpoint import check_identity
from utils.errors import UsageError
from utils.files import LEFTOVERS
from utils.identity import Identity, goes_on
from utils.registry import Configured
from utils.scores import RESULTS, SCORES
from utils.tables import read_json, write_json

PACKAGES = ("torch", "pytorch-lightning", "numpy")
# What training and testing write. Nothing else in the folder is ever removed.
WRITTEN = (
    *("run/identity.json", "run/summary.json", "run/metrics.csv", "run/samples/epoch=*.png"),
    *("run/tensorboard/*tfevents*", "run/tensorboard/hparams.yaml", "checkpoints/*.ckpt"),
    *(f"eval/{name}" for name in RESULTS),
)
WORTH_KEEPING = ("checkpoints/*.ckpt", "run/summary.json", f"eval/{SCORES}")


class Summary(Configured):
    """How a run came to its end: after how many epochs, and the best value of the figure that is monitored."""

    epochs: NonNegativeInt
    stopped_early: bool
    monitor: str
    best: float | None


class RunFolder:
    """`<o>/<experiment_name>/`: checkpoints (the best is tested), logs and pictures in `run`, scores.

    Attributes:
        last: the checkpoint from which training goes on.
    """

    def __init__(self, root: Path) -> None:
        self.root, self.run, self.checkpoints, self.evaluation = root, root / "run", root / "checkpoints", root / "eval"
        self.last, self.best = self.checkpoints / "last.ckpt", self.checkpoints / "best.ckpt"
        self._identity, self._summary = self.run / "identity.json", self.run / "summary.json"

    @classmethod
    def inside(cls, out: Path, name: str) -> "RunFolder":
        """The folder of a run inside the folder of experiments; a name that leads anywhere else is a `UsageError`."""
        path = Path(name)
        if path.is_absolute() or ".." in path.parts or path == Path():
            raise UsageError(f"--experiment_name: found {name!r}, expected the name of a folder inside --o")
        return cls(out / path)

    def begin(self, identity: Identity, chkpt: Path | None, *, max_epochs: int, overwrite: bool) -> Path | None:
        """Take the folder for a run, and find where the run goes on. A run that left nothing is as good as none.

        Args:
            identity: of the run.
            chkpt: where the user wants it to go on; by default, where the folder's own run stopped.
            max_epochs: after which the run ends.
            overwrite: whether other work, a longer run, or what cannot be gone on from may be removed.

        Returns:
            The checkpoint to go on from; None to start.

        Raises:
            UsageError: If the folder holds other work, or the same without a last checkpoint to go on from.
        """
        kept = sorted(path for pattern in WORTH_KEEPING for path in self.root.glob(pattern))
        if kept:
            try:
                found = self._checkpoint(identity, chkpt, kept[0].relative_to(self.root))
                summary = self._read_summary()
                if not (overwrite and summary and summary.epochs > max_epochs):
                    return found
            except UsageError:
                if not overwrite:
                    raise
        self._clear(spared=chkpt)
        write_json(self._identity, identity.record() | {"versions": {name: version(name) for name in PACKAGES}})
        return chkpt

    def _checkpoint(self, identity: Identity, chkpt: Path | None, kept: Path) -> Path:
        """Find the checkpoint that a run goes on from, in a folder that holds its work, such as `kept`."""
        if not self._identity.exists():
            raise UsageError(
                f"{self._identity}: missing, so nobody knows which run {kept} belongs to; choose another --o or "
                "--experiment_name, or pass --overwrite to replace it"
            )
        goes_on(self._identity, identity)
        if chkpt is not None:
            return chkpt
        if not self.last.exists():
            raise UsageError(
                f"{self.last}: missing beside {kept}; put it back, set experiment.chkpt to another checkpoint, or pass "
                "--overwrite to start over"
            )
        check_identity(self.last, identity)
        return self.last

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

    def _read_summary(self) -> Summary | None:
        """How the run ended; None where it has not."""
        if not self._summary.exists():
            return None
        return read_json(Summary, self._summary, "the summary of a run", "remove it to go on with training")

    def finish(self, summary: Summary) -> None:
        """Record that the run came to its end."""
        write_json(self._summary, summary.model_dump())
