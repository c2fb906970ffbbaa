"""Products on disk: the only code that knows the directory format (see docs/generation.md)."""

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from src.toygeneration.arrays import SCHEMAS, ArrayWriter, read_array, write_jpg
from src.toygeneration.frames import Features, Frame, FrameSource, Labels, Opacity, Sample
from src.toygeneration.index import INDEX, read_index, seeds_of
from utils import config as configuration
from utils.errors import DataError, UsageError
from utils.files import digest_array, new_directory


def is_product(path: Path) -> bool:
    """Whether a folder holds a complete product."""
    return (path / INDEX).is_file()


def check_output(path: Path, *, overwrite: bool) -> None:
    """Make sure that a product may be written somewhere without losing anything.

    Raises:
        UsageError: If a product is there and may not be replaced, or anything else is.
    """
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        raise UsageError(f"{path}: found a file or link, expected a new folder; choose another --o")
    if not path.exists() or not any(path.iterdir()):
        return
    own = {*(schema.folder for schema in SCHEMAS.values()), INDEX}
    strangers = sorted({entry.name for entry in path.iterdir()} - own)
    if strangers or not is_product(path):
        what = f"a folder with {strangers[0]!r} in it" if strangers else "an incomplete product"
        raise UsageError(f"{path}: found {what}, which is never replaced; remove it or choose another --o")
    if not overwrite:
        raise UsageError(f"{path}: found an existing product; pass --overwrite to replace it or choose another --o")


def export(
    products: Mapping[Path, FrameSource], *, overwrite: bool = False, on_step: Callable[[], object] | None = None
) -> None:
    """Write products, by folder, frame by frame, all together: what they share is made once.

    If that fails, no folder is left behind.
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
    """Writes a product's files into an empty folder."""

    def __init__(self, folder: Path, product: FrameSource) -> None:
        self._folder, self._product = folder, product
        self._files: dict[str, dict[str, str] | None] = {str(n): None for n in range(product.features.horizon)}
        self._writers = {kind: ArrayWriter(schema.dtype) for kind, schema in SCHEMAS.items()}

    def add(self, step: int, sample: Sample) -> None:
        entry = {}
        for kind, array in sample.items():
            suffix = self._product.astype if kind == "frame" else "h5"
            entry[kind] = f"{SCHEMAS[kind].folder}/{kind}_{step}.{suffix}"
            file = self._folder / entry[kind]
            file.parent.mkdir(exist_ok=True)
            write = write_jpg if suffix == "jpg" else self._writers[kind].write
            write(file, array)
        self._files[str(step)] = entry

    def write_index(self) -> None:
        """Write what makes the folder a product."""
        present = sum(entry is not None for entry in self._files.values())
        index = {
            "features": asdict(self._product.features) | {"nframes": present},
            "files": self._files,
            "provenance": self._product.provenance(),
        }
        (self._folder / INDEX).write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")


class ProductDataset(FrameSource):
    """Reads a product by time step, lazily: files are opened when a step is asked for.

    `dataset[t]` is a `Sample`, or None where the product has no frame at that step; `len(dataset)` counts time
    steps, those without a frame included. Sizes are those of the frames themselves. Frames may be double precision,
    steps null, the provenance missing.

    Raises:
        DataError: If there is no product, or its index or first frame is malformed; when a step is read, if one of its
            files is missing, damaged, or holds anything that `arrays.SCHEMAS` doesn't allow.
    """

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root)
        self._index = read_index(self.root)
        self._files = list(self._index.files.values())
        self.steps = [step for step, entry in enumerate(self._files) if entry is not None]
        first = self._path("frame", self.steps[0])
        self.astype = first.suffix.removeprefix(".")
        height, width, nbands = read_array(first, "frame", self.steps[0]).shape
        self.features = Features(width, height, nbands, len(self._files), self._index.features.ndigit)

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds of the product and of those it was derived from."""
        return seeds_of(self.provenance())

    @property
    def has_clouds(self) -> bool:
        """Whether the product has opacities."""
        return any(entry is not None and entry.cloud is not None for entry in self._files)

    def provenance(self) -> dict[str, Any]:
        """Return what the index records; where it records nothing, a fingerprint of the parcels serves as seed."""
        if self._index.provenance is not None:
            return self._index.provenance
        return {"seed": digest_array(self.annotation(self.steps[0])), "source": None}

    def __len__(self) -> int:
        return self.features.horizon

    def __getitem__(self, step: int) -> Sample | None:
        if not -len(self) <= step < len(self):
            raise IndexError(f"{self.root}: step {step} of a product of {len(self)} steps")
        step %= len(self)
        return None if self._files[step] is None else self._make(step)

    def __iter__(self) -> Iterator[Sample | None]:
        return (self[step] for step in range(len(self)))

    def frame(self, step: int) -> Frame:
        return self._read("frame", step, self.features.nbands)

    def annotation(self, step: int) -> Labels:
        return self._read("annotation", step, 2)

    def cloud(self, step: int) -> Opacity:
        return self._read("cloud", step)

    def _make(self, step: int) -> Sample:
        sample: Sample = {"frame": self.frame(step), "annotation": self.annotation(step)}
        if self._files[step].cloud is not None:
            sample["cloud"] = self.cloud(step)
        return sample

    def _path(self, kind: str, step: int) -> Path:
        relative = getattr(self._files[step], kind, None)
        if relative is None:
            raise DataError(f"{self.root}: step {step} has no {kind}; steps with frames are {self.steps}")
        return self.root / relative

    def _read(self, kind: str, step: int, *layers: int) -> NDArray[Any]:
        shape = (self.features.height, self.features.width, *layers)
        return read_array(self._path(kind, step), kind, step, shape)


def read_products(paths: Iterable[Path | str]) -> list[ProductDataset]:
    """Open several products, or name in one `DataError` all that cannot be opened."""
    products, problems = [], []
    for path in paths:
        try:
            products.append(ProductDataset(path))
        except DataError as error:
            problems.append(str(error))
    if problems:
        raise DataError(configuration.join(problems))
    return products
