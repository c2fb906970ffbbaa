"""Named random streams: one per use, so that adding a use changes no other."""

import hashlib
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Streams:
    """The random streams of one product, whose own seed comes first, then those of what it was derived from.

    A stream is identified by the seeds, its own name and, where a use has many draws that must not depend on the order
    of work, an index (a cell, a time step). Identical identities give identical streams; any difference gives
    independent ones.
    """

    seeds: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.seeds:
            raise ValueError("a random stream needs at least one seed")
        if any(seed < 0 for seed in self.seeds):
            raise ValueError(f"seeds must be 0 or larger, got {self.seeds}")

    def rng(self, name: str, *index: int) -> np.random.Generator:
        """Open the stream of one use, such as `labels`, at its start."""
        # The identity goes into the spawn key through a hash: SeedSequence pads short entropy with zeros,
        # so that the lists [5] and [5, 0] alone would open the same stream.
        numbers = tuple(int(seed) for seed in self.seeds), name, tuple(int(i) for i in index)
        identity = hashlib.sha256(repr(numbers).encode()).digest()
        key = tuple(np.frombuffer(identity, dtype="<u4").tolist())
        return np.random.default_rng(np.random.SeedSequence(int(self.seeds[0]), spawn_key=key))

    def integer(self, name: str, *index: int) -> int:
        """Draw the seed of another library's generator, from 0 to 2⁶³ - 1."""
        return int(self.rng(name, *index).integers(2**63))
