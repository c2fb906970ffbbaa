"""Products on disk: the only code that knows the directory format (see docs/generation.md)."""

import contextlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from src.toygeneration.arrays import SCHEMAS, read_array, write_array
from src.toygeneration.frames import MASKS, Features, Frame, FrameSource, Labels, Mask, Opacity, Sample
from src.toygeneration.index import INDEX, Index, is_held_out, seeds_of
from utils import config as configuration
from utils.errors import DataError, UsageError
from utils.files import digest_array, new_directory
from utils.tables import read_json

if TYPE_CHECKING:
    import xarray as xr


def is_product(path: Path) -> bool:
    """Whether a folder holds a complete product."""
    return (path / INDEX).is_file()


def check_folder(path: Path) -> None:
    """Raise `UsageError` if something stands where a folder is to be."""
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        raise UsageError(f"{path}: found a file or link, expected a new folder; choose another --o")


def check_output(path: Path, *, overwrite: bool) -> None:
    """Raise `UsageError` if a product is there and may not be replaced, or anything else is."""
    check_folder(path)
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
    """Write products, by folder, frame by frame, all together: what they share is made once. Or none, if that fails."""
    for path in products:
        check_output(path, overwrite=overwrite)
    with contextlib.ExitStack() as stack:
        write({stack.enter_context(new_directory(path)): product for path, product in products.items()}, on_step)


def write(products: Mapping[Path, FrameSource], on_step: Callable[[], object] | None = None) -> None:
    """Write products as `export` does into empty folders, which whoever made them will put in place."""
    files = {folder: {str(step): None for step in range(p.features.horizon)} for folder, p in products.items()}
    for step in range(max(map(len, files.values()))):
        for folder, product in products.items():
            if step in product.steps:
                files[folder][str(step)] = _write(folder, step, product.read(step), product.astype)
        if on_step:
            on_step()
    for folder, product in products.items():
        present = sum(entry is not None for entry in files[folder].values())
        index: dict[str, Any] = {"features": asdict(product.features) | {"nframes": present}, "files": files[folder]}
        if product.georeference:
            index["georeference"] = product.georeference.model_dump()
        if product.dates:
            index["dates"] = [date and date.isoformat() for date in product.dates]
        index["provenance"] = product.provenance()
        (folder / INDEX).write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")


def _write(folder: Path, step: int, sample: Sample, astype: str) -> dict[str, str]:
    """Write one time step; return the names of its files, by kind."""
    names = {}
    for kind, array in sample.items():
        names[kind] = f"{SCHEMAS[kind].folder}/{kind}_{step}.{astype if kind == 'frame' else 'h5'}"
        file = folder / names[kind]
        file.parent.mkdir(exist_ok=True)
        write_array(file, kind, array)
    return names


class ProductDataset(FrameSource):
    """Reads a product by time step, lazily: files are opened when a step is asked for.

    `dataset[t]` is a `Sample`, or None where the product has no frame at that step; `len(dataset)` counts time
    steps, those without a frame included. Sizes are those of the frames themselves. Raises `DataError` if there is no
    product, or its index or first frame is malformed; when a step is read, if one of its files is.
    """

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root)
        self._index = read_json(Index, self.root / INDEX, "the index of a product", "make the product again")
        self._files = list(self._index.files.values())
        self.steps = [step for step, entry in enumerate(self._files) if entry is not None]
        first = self._path("frame", self.steps[0])
        self.astype = first.suffix.removeprefix(".")
        height, width, nbands = read_array(first, "frame", self.steps[0]).shape
        self.features = Features(width, height, nbands, len(self._files), self._index.features.ndigit)
        self.georeference, self.dates = self._index.georeference, self._index.dates

    @property
    def seeds(self) -> tuple[int, ...]:
        return seeds_of(self.provenance())

    @property
    def has_clouds(self) -> bool:
        return self._has("cloud")

    @property
    def has_shadows(self) -> bool:
        return self._has("shadow")

    def _has(self, mask: Mask) -> bool:
        return any(entry is not None and getattr(entry, mask) is not None for entry in self._files)

    def provenance(self) -> dict[str, Any]:
        """Return what the index records; where it records nothing, a fingerprint of the parcels serves as seed."""
        if self._index.provenance is not None:
            return self._index.provenance
        return {"seed": digest_array(self.annotation(self.steps[0])), "source": None}

    @property
    def is_held_out(self) -> bool:
        return is_held_out(self.provenance())

    def __len__(self) -> int:
        return self.features.horizon

    def __getitem__(self, step: int) -> Sample | None:
        if not -len(self) <= step < len(self):
            raise IndexError(f"{self.root}: step {step} of a product of {len(self)} steps")
        step %= len(self)
        return None if self._files[step] is None else self._make(step)

    def frame(self, step: int) -> Frame:
        return self._read("frame", step, self.features.nbands)

    def annotation(self, step: int) -> Labels:
        return self._read("annotation", step, 2)

    def cloud(self, step: int) -> Opacity:
        return self._read("cloud", step)

    def shadow(self, step: int) -> Opacity:
        """Share of the ground's light that shadows of clouds take, beside what clouds hide."""
        return self._read("shadow", step)

    def to_xarray(self) -> "xr.Dataset":
        """Label what is stored, see docs/own_images.md: frames and masks are read when their values are used."""
        from src.toygeneration.exchange.labelled import label

        readers = {"frame": self.frame, "annotation": self.annotation, "cloud": self.cloud, "shadow": self.shadow}
        masked = {kind: [t for t in self.steps if getattr(self._files[t], kind) is not None] for kind in MASKS}
        return label(self, readers, masked)

    def _make(self, step: int) -> Sample:
        sample: Sample = {"frame": self.frame(step), "annotation": self.annotation(step)}
        there = (mask for mask in MASKS if getattr(self._files[step], mask) is not None)
        return sample | {mask: self._read(mask, step) for mask in there}

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
