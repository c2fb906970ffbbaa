"""The data of an experiment: views, their split, where frames are kept, and the order of batches."""

import logging
from collections.abc import Sequence
from functools import cached_property, partial

import torch

from src.rsgan.data.datasets import Cache, DatasetConfig, Kind
from src.rsgan.data.loader import BatchLoader, Index
from src.rsgan.data.opacity import fit_opacity
from src.rsgan.data.plans import Frames, share
from src.rsgan.data.series import Series
from src.rsgan.data.split import Split, few, split_views
from src.rsgan.data.store import Batch, MemoryStore, Store, read_series, size_in_memory
from src.rsgan.data.views import View, ViewShape, open_views
from utils.environment import cores
from utils.errors import ConfigError
from utils.identity import digest
from utils.memory import available
from utils.scores import Seen
from utils.seeding import Streams

logger = logging.getLogger(__name__)
FRAMES = Frames()
LARGEST_SHARE = 0.5  # of the free memory, that a cache may take by default


class ToyDataModule:
    """Views split into training, validation and testing.

    Args:
        split_seed: draws the split; the configuration's own, so that all runs of it test on the same views.
        seed: draws the order of batches.
        batching: what batches are of. Views may differ in their time steps where they are of series.
        kinds: what samples hold in training and validation.

    Raises:
        DataError: If views are missing or disagree.
        ConfigError: If there are too few views for the split, or others, or it trains on series held out for tests.
    """

    def __init__(
        self,
        config: DatasetConfig,
        *,
        split_seed: int,
        seed: int,
        batching: Frames | Series = FRAMES,
        kinds: Sequence[Kind] = ("source", "target"),
    ) -> None:
        self.config, self.kinds = config, tuple(kinds)
        self._seed, self.batching = seed, batching
        views = open_views(config, same_steps=not isinstance(batching, Series))
        self.names = split_views(list(views), config.split, split_seed)
        used = {name for names in self.names.values() for name in names}
        self._views = {name: view for name, view in views.items() if name in used}
        self._check_held_out()
        if config.opacity == "estimated":
            estimate = fit_opacity(self.views("train"))
            self._views = {name: view.estimating(estimate) for name, view in self._views.items()}
        self._loaders: list[BatchLoader] = []

    @property
    def features(self) -> ViewShape:
        return next(iter(self._views.values())).features

    @cached_property
    def fingerprint(self) -> str:
        """Identifies the data: names of the views, how they came about, and the split."""
        provenance = {name: view.provenance() for name, view in self._views.items()}
        return digest([provenance, self.names])

    @property
    def test_series(self) -> Seen:
        """Whether training views have shown the time series that test views show."""
        shown = {view.is_held_out for view in self.views("train")}
        seen = {view.is_held_out in shown for view in self.views("test")}
        return "seen" if seen == {True} else "unseen" if seen == {False} else "partly"

    def _check_held_out(self) -> None:
        train, test = ([view.name for view in self.views(part) if view.is_held_out] for part in ("train", "test"))
        if train and test:
            raise ConfigError(
                f"dataset.split: found views of held-out time series for training ({few(train)}) and for testing "
                f"({few(test)}), expected them on one side; split by numbers, such as {{train: 1-28, val: 29-34, "
                "test: 35-40}"
            )

    def views(self, split: Split) -> list[View]:
        return [self._views[name] for name in self.names[split]]

    def series(self, split: Split, number: int, kinds: Sequence[Kind]) -> Batch:
        """Read the whole series of one view of a split, numbered from 0."""
        return read_series(self.views(split)[number], kinds)

    def prepare(self, device: torch.device) -> None:
        """Decode what is to be kept in memory, before training starts on a device."""
        self._device, cache = device, self._choose_cache(device)
        stores = {"none": Store, "ram": MemoryStore, "device": partial(MemoryStore, device=device, half=True)}
        self._stores = {split: stores[cache](self.views(split), self.kinds) for split in ("train", "val")}
        counts = ", ".join(f"{len(names)} {split}" for split, names in self.names.items())
        where = {
            "none": "read from disk",
            "ram": "kept in memory",
            "device": f"kept on the {device.type} in half precision",
        }
        logger.info("%s: views: %s; %s; %s", self.config.root, counts, self.features, where[cache])

    def _choose_cache(self, device: torch.device) -> Cache:
        """Take what the configuration says, or the fastest that fits."""
        if self.config.cache != "auto":
            return self.config.cache
        size = size_in_memory([*self.views("train"), *self.views("val")], self.kinds)
        if device.type == "cuda" and size / 2 <= LARGEST_SHARE * torch.cuda.mem_get_info(device)[0]:
            return "device"
        return "ram" if size <= LARGEST_SHARE * (available() or 0) else "none"

    def plan(self, split: Split, epoch: int, *, rank: int = 0, world: int = 1) -> list[Index]:
        """Plan an epoch, which shuffles training in its own way, for one of the processes that train together."""
        training = split == "train"
        rng = Streams((self._seed,)).rng("batches", epoch) if training else None
        size = self.config.dataloader.batch_size
        groups = self.batching.plan(len(self.names[split]), self.features, size, rng)
        return share(groups, rank, world, equal=training)

    def smallest_batch(self) -> int:
        """Count its frames or series; one batch of one epoch is like that of any other."""
        return min(batch.samples for batch in self.plan("train", 0))

    def loader(self, split: Split, *, rank: int = 0, world: int = 1) -> BatchLoader:
        """Batches for one of the processes that train together, once `prepare` has said on what device."""
        store = self._stores[split]
        kept_there = store.device.type == "cuda"
        loader = BatchLoader(
            store,
            lambda epoch: self.plan(split, epoch, rank=rank, world=world),
            num_workers=0 if kept_there else min(self.config.dataloader.num_workers, cores()),
            pin_memory=self._device.type == "cuda" and not kept_there,
        )
        self._loaders.append(loader)
        return loader

    def close(self) -> None:
        """End the processes that read ahead."""
        while self._loaders:
            self._loaders.pop().close()
