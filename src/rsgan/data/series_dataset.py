"""Series of views as a plain PyTorch `Dataset`, for models that aren't this project's. See docs/open.md."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import Dataset

from src.rsgan.configuration import read_common
from src.rsgan.data.datamodule import ToyDataModule
from src.rsgan.data.split import Split
from src.rsgan.data.store import read_series
from src.rsgan.data.views import to_reflectance
from utils.config import named
from utils.errors import ConfigError, DataError, UsageError


class SeriesDataset(Dataset):
    """The series of one split of a data set, one a view.

    A sample holds `view`, its name; `source` `(T, C, H, W)` and `target` `(T, C, H, W)` in reflectance, float32,
    bands of the sources joined in their order; `cloud` `(T, 1, H, W)`, opacity, 0 where there are no clouds;
    `instance` and `label` `(H, W)`, int64, 0 for background; and `time` `(T,)`, the numbers of the steps.

    Args:
        cfg: files of an experiment on the data set, or of what these have in common: they say where it is, what is
            source and target, and which views train, validate and test, as in testing.
        split: `train`, `val` or `test`.
        root: folder of the data set, instead of that of the configuration.
        sources: products, instead of those of the configuration.

    Raises:
        UsageError: If a file, the data set or the split is not what it should be; see its message.
    """

    def __init__(
        self,
        cfg: str | Path | Sequence[str | Path],
        split: Split,
        *,
        root: str | Path | None = None,
        sources: Sequence[str] | None = None,
    ) -> None:
        files = [Path(file) for file in ([cfg] if isinstance(cfg, str | Path) else cfg)]
        config = read_common(files)
        given = {"root": root and str(root), "sources": sources and tuple(sources)}
        dataset = config.dataset.model_copy(update={key: value for key, value in given.items() if value})
        with named(files, ConfigError, DataError):
            data = ToyDataModule(dataset, split_seed=config.experiment.seed, seed=0)
        if split not in data.names:
            raise UsageError(f"split: found {split!r}, expected one of {', '.join(data.names)}")
        self._views = data.views(split)

    @property
    def views(self) -> list[str]:
        return [view.name for view in self._views]

    def __len__(self) -> int:
        return len(self._views)

    def __getitem__(self, number: int) -> dict[str, Tensor | str]:
        view = self._views[number]
        series = read_series(view, ("source", "target", "cloud"))
        instance, label = torch.from_numpy(view.read(0, "annotation")).long().unbind(dim=-1)
        frames = {kind: to_reflectance(series[kind]) for kind in ("source", "target")}
        every = {**frames, "cloud": series["cloud"], "instance": instance, "label": label, "time": series["times"]}
        return {"view": view.name, **{key: values.contiguous() for key, values in every.items()}}
