"""Products on disk: the only code that knows the directory format (see docs/generation.md)."""

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import DTypeLike, NDArray
from PIL import Image, UnidentifiedImageError
from pydantic import BaseModel, ValidationError

from src.toygeneration.source import Features, FrameSource, Sample
from utils import config as configuration
from utils.errors import DataError, UsageError
from utils.files import digest_array, new_directory

INDEX = "index.json"
DATASET = "data"
FOLDERS = {"frame": "frames", "annotation": "annotations", "cloud": "clouds"}
TYPES = {"frame": np.float32, "annotation": np.int16, "cloud": np.float32}
JPG_QUALITY = 95


def is_product(path: Path) -> bool:
    """Say whether a folder holds a complete product.

    Args:
        path: the folder.

    Returns:
        True if its index exists.
    """
    return (path / INDEX).is_file()


def check_output(path: Path, *, overwrite: bool) -> None:
    """Make sure that a product may be written somewhere without losing anything.

    Args:
        path: the folder that will become the product.
        overwrite: whether an existing product may be replaced.

    Raises:
        UsageError: If a product is there and may not be replaced, or anything else is.
    """
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        raise UsageError(f"{path}: found a file or link, expected a new folder; choose another --o")
    if not path.exists() or not any(path.iterdir()):
        return
    strangers = sorted({entry.name for entry in path.iterdir()} - {*FOLDERS.values(), INDEX})
    if strangers or not is_product(path):
        what = f"a folder with {strangers[0]!r} in it" if strangers else "an incomplete product"
        raise UsageError(f"{path}: found {what}, which is never replaced; remove it or choose another --o")
    if not overwrite:
        raise UsageError(f"{path}: found an existing product; pass --overwrite to replace it or choose another --o")


def export(
    products: Mapping[Path, FrameSource], *, overwrite: bool = False, on_step: Callable[[], object] | None = None
) -> None:
    """Write products, frame by frame, all together: what they share is made once.

    Args:
        products: what to write, by the folder to write it to.
        overwrite: whether existing products may be replaced.
        on_step: called after each time step.

    Raises:
        UsageError: If a folder may not be written to.
        OSError: If writing fails; then no folder is left behind.
    """
    for path in products:
        check_output(path, overwrite=overwrite)
    with contextlib.ExitStack() as stack:
        writers = {path: stack.enter_context(_writing(path, product)) for path, product in products.items()}
        for step in range(max(product.features.horizon for product in products.values())):
            for path, product in products.items():
                if step in product.steps:
                    writers[path].add(step, product.read(step))
            if on_step:
                on_step()


@contextlib.contextmanager
def _writing(path: Path, product: FrameSource) -> Iterator["_ProductWriter"]:
    """Write one product; it appears under its name when the block ends, or not at all."""
    with new_directory(path) as folder:
        writer = _ProductWriter(folder, product)
        yield writer
        writer.write_index()


class _ProductWriter:
    """Writes a product's files into a folder.

    Args:
        folder: an empty one.
        product: what is written, for the index.
    """

    def __init__(self, folder: Path, product: FrameSource) -> None:
        self._folder, self._product = folder, product
        self._files: dict[str, dict[str, str] | None] = {str(n): None for n in range(product.features.horizon)}
        self._writers = {kind: _ArrayWriter(dtype) for kind, dtype in TYPES.items()}

    def add(self, step: int, sample: Sample) -> None:
        """Write one time step.

        Args:
            step: time step.
            sample: its arrays.
        """
        entry = {}
        for kind, array in sample.items():
            suffix = self._product.astype if kind == "frame" else "h5"
            entry[kind] = f"{FOLDERS[kind]}/{kind}_{step}.{suffix}"
            file = self._folder / entry[kind]
            file.parent.mkdir(exist_ok=True)
            if suffix == "jpg":
                _write_jpg(file, array)
            else:
                self._writers[kind].write(file, array)
        self._files[str(step)] = entry

    def write_index(self) -> None:
        """Write what makes the folder a product."""
        present = sum(entry is not None for entry in self._files.values())
        index = {
            "features": self._product.features.to_index(present),
            "files": self._files,
            "provenance": self._product.provenance(),
        }
        (self._folder / INDEX).write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")


class _ArrayWriter:
    """Writes arrays of one kind as HDF5 files, each the bytes that h5py would write.

    A file that holds one contiguous dataset is a header, the same for all arrays of a shape, and the array. h5py
    makes the header, once, in memory; the files are written without it, because it spends more time on opening and
    closing a file than on a frame's bytes, and on a full disk it ends the process with a segmentation fault.
    """

    def __init__(self, dtype: DTypeLike) -> None:
        self._dtype = np.dtype(dtype)
        self._headers: dict[tuple[int, ...], bytes] = {}

    def write(self, file: Path, array: NDArray[Any]) -> None:
        data = np.ascontiguousarray(array, dtype=self._dtype)
        if data.shape not in self._headers:
            self._headers[data.shape] = _header(data)
        with file.open("wb") as stream:
            stream.write(self._headers[data.shape])
            stream.write(data)


def _header(data: NDArray[Any]) -> bytes:
    """What an HDF5 file holds before its only dataset."""
    with h5py.File("header", "w", driver="core", backing_store=False) as file:
        offset = file.create_dataset(DATASET, data=data).id.get_offset()
        file.flush()
        image = file.id.get_file_image()
    if len(image) != offset + data.nbytes:
        raise RuntimeError(f"HDF5 put {len(image) - offset - data.nbytes} bytes behind a contiguous dataset")
    return image[:offset]


def _write_jpg(file: Path, frame: NDArray[np.float32]) -> None:
    levels = np.rint(np.clip(frame, 0, 1) * 255).astype(np.uint8)
    Image.fromarray(levels).save(file, quality=JPG_QUALITY, subsampling=0)


class _IndexFeatures(BaseModel):
    ndigit: int = 0


class _Entry(BaseModel):
    frame: str
    annotation: str
    cloud: str | None = None


class _Index(BaseModel):
    """What a reader needs of `index.json`; other keys are left alone."""

    features: _IndexFeatures
    files: dict[int, _Entry | None]
    provenance: dict[str, Any] | None = None


class ProductDataset(FrameSource):
    """Reads a product by time step, lazily: files are opened when a step is asked for.

    `dataset[t]` is a `Sample`, or None where the product has no frame at that step; `len(dataset)` counts time
    steps, those without a frame included. Sizes are those of the frames themselves.

    Args:
        root: the product's folder. Frames may be double precision, steps null, the provenance missing.

    Raises:
        DataError: If there is no product, or its index or first frame is malformed.
    """

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root)
        self._index = self._read_index()
        horizon = len(self._index.files)
        if sorted(self._index.files) != list(range(horizon)):
            raise DataError(f"{self.root / INDEX}: files: expected one entry for each step from 0 to {horizon - 1}")
        self.steps = [step for step in range(horizon) if self._index.files[step] is not None]
        if not self.steps:
            raise DataError(f"{self.root / INDEX}: files: found no frame at any of {horizon} steps")
        first = self._load("frame", self.steps[0])
        if first.ndim != 3:
            raise DataError(f"{self._path('frame', self.steps[0])}: found shape {first.shape}, expected (H, W, C)")
        height, width, nbands = first.shape
        self.features = Features(width, height, nbands, horizon, self._index.features.ndigit)

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds of the product and of those it was derived from."""
        seeds = []
        level = self.provenance()
        while isinstance(level, dict):
            if isinstance(level.get("seed"), int):
                seeds.append(level["seed"])
            level = level.get("source")
        return tuple(seeds)

    @property
    def has_clouds(self) -> bool:
        """Whether the product has opacities."""
        return any(entry is not None and entry.cloud is not None for entry in self._index.files.values())

    @property
    def astype(self) -> str:
        """Format of the frames."""
        return self._path("frame", self.steps[0]).suffix.removeprefix(".")

    def provenance(self) -> dict[str, Any]:
        """Return what the index records; where it records nothing, a fingerprint of the parcels serves as seed."""
        if self._index.provenance is not None:
            return self._index.provenance
        return {"seed": digest_array(self._load("annotation", self.steps[0])), "source": None}

    def __len__(self) -> int:
        return self.features.horizon

    def __getitem__(self, step: int) -> Sample | None:
        if not -len(self) <= step < len(self):
            raise IndexError(f"{self.root}: step {step} of a product of {len(self)} steps")
        step %= len(self)
        return None if self._index.files[step] is None else self._make(step)

    def __iter__(self) -> Iterator[Sample | None]:
        return (self[step] for step in range(len(self)))

    def frame(self, step: int) -> NDArray[np.float32]:
        """Read one frame.

        Args:
            step: one of `steps`.

        Returns:
            `(H, W, C)`.

        Raises:
            DataError: If the file is missing, truncated or of another size.
        """
        return self._expect("frame", step, (self.features.height, self.features.width, self.features.nbands))

    def annotation(self, step: int) -> NDArray[np.int16]:
        """Read one annotation.

        Args:
            step: one of `steps`.

        Returns:
            `(H, W, 2)`: instance and class.

        Raises:
            DataError: If the file is missing, truncated or of another size.
        """
        return self._expect("annotation", step, (self.features.height, self.features.width, 2))

    def cloud(self, step: int) -> NDArray[np.float32]:
        """Read one opacity.

        Args:
            step: one of `steps`.

        Returns:
            `(H, W)`, in [0, 1].

        Raises:
            DataError: If the product has none, or the file is missing, truncated or of another size.
        """
        return self._expect("cloud", step, (self.features.height, self.features.width))

    def _make(self, step: int) -> Sample:
        sample: Sample = {"frame": self.frame(step), "annotation": self.annotation(step)}
        if self._index.files[step].cloud is not None:
            sample["cloud"] = self.cloud(step)
        return sample

    def _read_index(self) -> _Index:
        path = self.root / INDEX
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError) as error:
            raise DataError(
                f"{self.root}: no product here ({INDEX} is missing); make it or correct the path"
            ) from error
        except ValueError as error:
            raise DataError(f"{path}: not valid JSON ({error}); make the product again") from error
        try:
            return _Index.model_validate(content)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise DataError(f"{path}: {where}: {first['msg']}; make the product again") from error

    def _path(self, kind: str, step: int) -> Path:
        entry = self._index.files[step]
        relative = getattr(entry, kind) if entry else None
        if relative is None:
            raise DataError(f"{self.root}: step {step} has no {kind}; steps with frames are {self.steps}")
        return self.root / relative

    def _expect(self, kind: str, step: int, shape: tuple[int, ...]) -> NDArray[Any]:
        array = self._load(kind, step)
        if array.shape != shape:
            raise DataError(f"{self._path(kind, step)}: found shape {array.shape}, expected {shape}")
        return array

    def _load(self, kind: str, step: int) -> NDArray[Any]:
        path = self._path(kind, step)
        try:
            array = _read_h5(path) if path.suffix == ".h5" else _read_jpg(path)
        except FileNotFoundError as error:
            raise DataError(f"{path}: missing, but {INDEX} lists it; make the product again") from error
        except (KeyError, UnidentifiedImageError) as error:
            raise DataError(f"{path}: not a {kind} file ({error}); make the product again") from error
        except OSError as error:
            if error.errno is not None:  # the file system, not the file's content
                raise
            raise DataError(f"{path}: truncated or not a {kind} file ({error}); make the product again") from error
        return array.astype(TYPES[kind], copy=False)


def _read_h5(path: Path) -> NDArray[Any]:
    with h5py.File(path, "r") as file:
        return file[DATASET][()]


def _read_jpg(path: Path) -> NDArray[np.float32]:
    with Image.open(path) as image:
        return np.asarray(image, dtype=np.float32) / 255


def read_products(paths: Iterable[Path | str]) -> list[ProductDataset]:
    """Open several products, and report all that are missing or malformed at once.

    Args:
        paths: their folders.

    Returns:
        The products.

    Raises:
        DataError: If any cannot be opened.
    """
    products, problems = [], []
    for path in paths:
        try:
            products.append(ProductDataset(path))
        except DataError as error:
            problems.append(str(error))
    if problems:
        raise DataError(configuration.join(problems))
    return products
