"""The data of an experiment: views, their split, where frames are kept, and the order of batches."""

import hashlib
import json
import logging
import os
import re
from collections.abc import Sequence
from contextvars import ContextVar
from functools import cached_property
from pathlib import Path

import pytorch_lightning as pl
import torch

from src.rsgan.data.datasets import Cache, DatasetConfig, Kind
from src.rsgan.data.loader import BatchLoader
from src.rsgan.data.plans import Batch, frame_plan, series_plan, share
from src.rsgan.data.split import Split, split_views
from src.rsgan.data.store import MemoryStore, Sample, Store, size_in_memory
from src.rsgan.data.views import Features, View, open_views
from utils.seeding import Streams

logger = logging.getLogger(__name__)
LARGEST_SHARE = 0.5  # of the free memory, that a cache may take by default
# What was decoded for the run before, where several runs follow each other in one process; None to keep nothing.
DECODED: ContextVar[dict[tuple[object, ...], Store] | None] = ContextVar("decoded", default=None)


class ToyDataModule(pl.LightningDataModule):
    """Views split into training, validation and testing.

    Args:
        config: the `dataset` section of an experiment.
        split_seed: draws the split; the configuration's own, so that all runs of it test on the same views.
        seed: draws the order of batches.
        in_time_order: whether batches run through series in time order.
        frames_per_series: equally spaced frames of each series in a training epoch; None for all.
        kinds: what samples hold in training and validation.

    Raises:
        DataError: If views are missing or disagree.
        ConfigError: If there are too few views for the split.
    """

    def __init__(
        self,
        config: DatasetConfig,
        *,
        split_seed: int,
        seed: int,
        in_time_order: bool = False,
        frames_per_series: int | None = None,
        kinds: Sequence[Kind] = ("source", "target"),
    ) -> None:
        super().__init__()
        self.config, self.kinds = config, tuple(kinds)
        self._seed, self._frames_per_series = seed, frames_per_series
        self._plan = series_plan if in_time_order else frame_plan
        self._views = open_views(config)
        self.names = split_views(list(self._views), config.split, split_seed)
        self._stores: dict[Split, Store] = {}
        self._loaders: list[BatchLoader] = []

    @property
    def features(self) -> Features:
        """What all views agree on."""
        return next(iter(self._views.values())).features

    @cached_property
    def fingerprint(self) -> str:
        """Identifies the data: names of the views, how they came about, and the split."""
        provenance = {name: view.provenance() for name, view in self._views.items()}
        text = json.dumps([provenance, self.names], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def views(self, split: Split) -> list[View]:
        """List the views of a split.

        Args:
            split: which.

        Returns:
            The views, in natural order of their names.
        """
        return [self._views[name] for name in self.names[split]]

    def series(self, split: Split, number: int, kinds: Sequence[Kind]) -> Sample:
        """Read the whole series of one view.

        Args:
            split: which split.
            number: of the view in it, from 0.
            kinds: what to read.

        Returns:
            Its frames in time order.

        Raises:
            DataError: If a file is missing, truncated or of another size.
        """
        store = Store([self.views(split)[number]], kinds)
        return store[frame_plan(1, store.horizon, store.horizon)[0]]

    def prepare(self, device: torch.device) -> None:
        """Decode what is to be kept in memory, before training starts.

        Args:
            device: on which training will run.

        Raises:
            DataError: If a file is missing, truncated or of another size.
        """
        cache = self._choose_cache(device)
        for split in ("train", "val"):
            if split not in self._stores and self.views(split):
                self._stores[split] = self._store(split, cache, device)
        logger.info("%s", self._describe(cache))

    def _store(self, split: Split, cache: Cache, device: torch.device) -> Store:
        if cache == "none":
            return Store(self.views(split), self.kinds)
        decoded = DECODED.get()
        if decoded is None:
            return self._decode(split, cache, device)
        data = (self.fingerprint, self.kinds, cache, device)
        for key in [key for key in decoded if key[:-1] != data]:  # memory for one kind of data at a time
            del decoded[key]
        if (*data, split) not in decoded:
            decoded[*data, split] = self._decode(split, cache, device)
        return decoded[*data, split]

    def _decode(self, split: Split, cache: Cache, device: torch.device) -> MemoryStore:
        if cache == "ram":
            return MemoryStore(self.views(split), self.kinds)
        return MemoryStore(self.views(split), self.kinds, half=True).to(device)

    def _choose_cache(self, device: torch.device) -> Cache:
        """Take what the configuration says, or the fastest that fits."""
        cache = self.config.cache
        if cache == "device" and device.type == "cpu":
            return "ram"
        if cache != "auto":
            return cache
        size = size_in_memory([*self.views("train"), *self.views("val")], self.kinds)
        if device.type == "cuda" and size / 2 <= LARGEST_SHARE * torch.cuda.mem_get_info(device)[0]:
            return "device"
        return "ram" if size <= LARGEST_SHARE * free_memory() else "none"

    def _describe(self, cache: Cache) -> str:
        counts = ", ".join(f"{len(names)} {split}" for split, names in self.names.items())
        where = {"none": "read from disk", "ram": "kept in memory", "device": "kept on the GPU in half precision"}
        return f"{self.config.root}: views: {counts}; {self.features}; {where[cache]}"

    def plan(self, split: Split, epoch: int, *, rank: int = 0, world: int = 1) -> list[Batch]:
        """Plan an epoch.

        Args:
            split: which split.
            epoch: from 0; another one shuffles training otherwise.
            rank: number of this process among those that train together.
            world: number of processes.

        Returns:
            The batches of this process.
        """
        training = split == "train"
        batches = self._plan(
            len(self.names[split]),
            self.features.horizon,
            self.config.dataloader.batch_size,
            per_series=self._frames_per_series if training else None,
            rng=Streams((self._seed,)).rng("batches", epoch) if training else None,
        )
        return share(batches, rank, world, equal=training)

    def smallest_batch(self) -> int:
        """Count the frames of the smallest training batch."""
        return min(len(batch.index) for batch in self.plan("train", 0))

    def train_dataloader(self) -> BatchLoader:
        """Batches of the training views."""
        return self._loader("train")

    def val_dataloader(self) -> BatchLoader:
        """Batches of the validation views: all frames, in order."""
        return self._loader("val")

    def _loader(self, split: Split) -> BatchLoader:
        strategy = self.trainer.strategy
        store = self._stores[split]
        on_gpu = strategy.root_device.type == "cuda"
        kept_there = isinstance(store, MemoryStore) and store.device.type == "cuda"
        loader = BatchLoader(
            store,
            lambda epoch: self.plan(split, epoch, rank=self.trainer.global_rank, world=self.trainer.world_size),
            num_workers=0 if kept_there else min(self.config.dataloader.num_workers, os.cpu_count() or 1),
            pin_memory=on_gpu and not kept_there,
        )
        self._loaders.append(loader)
        return loader

    def teardown(self, stage: str) -> None:
        """End the processes that read ahead."""
        while self._loaders:
            self._loaders.pop().close()

    def on_exception(self, exception: BaseException) -> None:
        """End the processes that read ahead."""
        self.teardown("fit")


def free_memory() -> int:
    """Say how much memory programs may still take.

    Returns:
        Bytes; 0 where the system does not tell.
    """
    meminfo = Path("/proc/meminfo")
    found = re.search(r"MemAvailable:\s+(\d+) kB", meminfo.read_text()) if meminfo.exists() else None
    return int(found[1]) * 1024 if found else 0
