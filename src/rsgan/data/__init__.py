"""From products on disk to batches."""

import importlib


def __getattr__(name: str) -> object:
    """`SeriesDataset`, for other people's programs: nothing here needs it, and no result depends on it."""
    if name != "SeriesDataset":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module(f"{__name__}.series_dataset").SeriesDataset
