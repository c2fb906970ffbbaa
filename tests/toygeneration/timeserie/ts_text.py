"""Writes `.ts` files."""

from collections.abc import Callable

import numpy as np

from src.toygeneration.timeserie.ts_format import Cases

HEADER = "@problemName Made\n@timeStamps false\n@univariate false\n@classLabel true grass wheat\n@data\n"


def plain(band: np.ndarray) -> str:
    return ",".join(repr(float(value)) for value in band)


def text(cases: Cases, header: str = HEADER, write: Callable[[np.ndarray], str] = plain) -> str:
    lines = (
        ":".join([*map(write, case.T), label]) + "\n" for case, label in zip(cases.series, cases.labels, strict=True)
    )
    return header + "".join(lines)


def made() -> Cases:
    rng = np.random.default_rng(0)
    return Cases([rng.normal(size=(5 + i, 2)) for i in range(4)], ["grass", "wheat", "wheat", "grass"])
