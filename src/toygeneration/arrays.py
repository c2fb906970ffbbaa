"""Arrays on disk: what the files of a product hold, one schema, one reader, one writer."""

import functools
import io
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import DTypeLike, NDArray
from PIL import Image

from src.toygeneration.frames import LARGEST_LABEL
from utils.errors import DataError
from utils.memory import problem
from utils.reading import regular_file

DATASET = "data"
JPG_QUALITY = 95
INFLATION = 1100  # times; the best that gzip, the usual filter of HDF5, can do is 1032
LARGE = 2**28  # bytes; less isn't compared with the machine's memory
ROUNDING = 1e-6
FINITE = float(np.finfo(np.float32).max)
Shape = tuple[int | None, ...]


@dataclass(frozen=True)
class Schema:
    """What the files of one kind hold."""

    folder: str  # of the product, where we write them
    dtype: DTypeLike  # as which they are written, and handed out
    accepted: str  # kinds of dtypes that are read, as NumPy abbreviates them
    shape: Shape  # None where any size will do
    low: float  # smallest value
    high: float  # largest value
    values: str  # the same in words

    def check(self, shape: tuple[int, ...], dtype: np.dtype, expected: Shape) -> None:
        """Compare what a file declares, before any of it is read."""
        fits = len(shape) == len(expected) and all(b in (None, a) for a, b in zip(shape, expected, strict=True))
        if not fits or 0 in shape or dtype.kind not in self.accepted:
            sizes = ", ".join("any" if size is None else str(size) for size in expected)
            words = {"f": "floating point", "iu": "whole numbers"}[self.accepted]
            raise ValueError(f"found shape {shape} of {dtype}, expected ({sizes}) of {words}")

    def check_values(self, array: NDArray[Any]) -> None:
        low, high = float(array.min()), float(array.max())  # the limits need not fit into its dtype
        if not (low >= self.low and high <= self.high):  # not the other way round: nothing is true of NaN
            raise ValueError(f"found values from {low:g} to {high:g}, expected {self.values}")


SCHEMAS = {
    "frame": Schema("frames", np.float32, "f", (None, None, None), -FINITE, FINITE, "finite reflectances"),
    "annotation": Schema(
        "annotations", np.int16, "iu", (None, None, 2), 0, LARGEST_LABEL, f"labels from 0 to {LARGEST_LABEL}"
    ),
    "cloud": Schema("clouds", np.float32, "f", (None, None), -ROUNDING, 1 + ROUNDING, "opacities from 0 to 1"),
    "shadow": Schema("shadows", np.float32, "f", (None, None), -ROUNDING, 1 + ROUNDING, "shares of light from 0 to 1"),
}


def read_array(path: Path, kind: str, step: int, shape: Shape | None = None) -> NDArray[Any]:
    """Read one array of an HDF5 file or, of a frame, `.jpg`, in the dtype that its kind is handed out in.

    Where more is known of its shape than the schema says, `shape` is expected. The step is for messages. Raises
    `DataError` if the file is missing, no file, damaged, or holds anything else than that.
    """
    schema = SCHEMAS[kind]
    regular_file(path, f"the {kind} of step {step}, which the product's index lists")
    read = _read_jpg if path.suffix == ".jpg" else _read_h5
    try:
        array = read(path, schema, shape or schema.shape)
        schema.check_values(array)
    except MemoryError:
        raise
    except Exception as error:  # decoders raise anything when a file is damaged
        if isinstance(error, OSError) and error.errno:  # the file system, not the file's content
            raise OSError(error.errno, os.strerror(error.errno), str(path)) from error
        raise DataError(f"{path}: unusable {kind} of step {step}: {error}; make the product again") from error
    return array.astype(schema.dtype, copy=False)


def _read_h5(path: Path, schema: Schema, shape: Shape) -> NDArray[Any]:
    """Read the dataset, if its values lie in the file itself and its size is sane. No lock: products never change."""
    with h5py.File(path, "r", locking=False) as file:
        if DATASET not in file:
            raise ValueError("found no dataset 'data'")
        dataset = file[DATASET] if file.get(DATASET, getclass=True, getlink=True) is h5py.HardLink else None
        if not isinstance(dataset, h5py.Dataset):
            raise ValueError("found a link or group in place of dataset 'data'")
        if dataset.is_virtual or dataset.external:
            raise ValueError("found values stored in other files, expected them in this one")
        found, stored = dataset.shape or (), dataset.id.get_storage_size()
        schema.check(found, dataset.dtype, shape)
        size = dataset.dtype.itemsize * math.prod(found)
        if size > stored * INFLATION:
            raise ValueError(f"found shape {found}, but only {stored} bytes of data")
        too_large = problem(f"an array of shape {found}", size, "use smaller frames") if size > LARGE else None
        if too_large:
            raise ValueError(too_large)
        return dataset[()]


def _read_jpg(path: Path, schema: Schema, shape: Shape) -> NDArray[np.float32]:
    with Image.open(path, formats=["JPEG"]) as image:
        if image.mode != "RGB":
            raise ValueError(f"found a picture of mode {image.mode}, expected RGB")
        schema.check((image.height, image.width, 3), np.dtype(schema.dtype), shape)
        return np.asarray(image, dtype=np.float32) / 255


def write_array(path: Path, kind: str, array: NDArray[Any]) -> None:
    """Write one array as an HDF5 file or, a frame, as `.jpg`, clipped to [0, 1].

    An HDF5 file that holds one contiguous dataset is a header, the same for all arrays of a shape, and the array. h5py
    makes the header, once, in memory; the files are written without it, because it spends more time on opening and
    closing a file than on a frame's bytes, and on a full disk it ends the process with a segmentation fault.
    """
    if path.suffix == ".jpg":
        content = [_jpg(array)]
    else:
        data = np.ascontiguousarray(array, dtype=SCHEMAS[kind].dtype)
        content = [_header(data.shape, data.dtype), data]
    with path.open("wb") as stream:
        for part in content:
            stream.write(part)


def _jpg(frame: NDArray[np.float32]) -> bytes:
    levels = np.rint(np.clip(frame, 0, 1) * 255).astype(np.uint8)
    encoded = io.BytesIO()  # a full disk, met by the encoder itself, would end in an error that doesn't say so
    Image.fromarray(levels).save(encoded, "JPEG", quality=JPG_QUALITY, subsampling=0)
    return encoded.getvalue()


@functools.lru_cache
def _header(shape: tuple[int, ...], dtype: np.dtype) -> bytes:
    """What an HDF5 file holds before its only dataset."""
    with h5py.File("header", "w", driver="core", backing_store=False) as file:
        dataset = file.create_dataset(DATASET, data=np.zeros(shape, dtype))
        file.flush()
        image, offset, size = file.id.get_file_image(), dataset.id.get_offset(), dataset.nbytes
    if len(image) != offset + size:
        raise RuntimeError(f"HDF5 put {len(image) - offset - size} bytes behind a contiguous dataset")
    return image[:offset]
