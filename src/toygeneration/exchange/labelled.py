"""Products as labelled arrays, by the CF conventions."""

import json
import uuid
from collections.abc import Callable, Mapping, Sequence

import dask.array
import numpy as np
import xarray as xr
from numpy.typing import DTypeLike, NDArray

from src.toygeneration.frames import FrameSource, Labels

CONVENTIONS = "CF-1.11"
Read = Callable[[int], NDArray[np.generic]]
MASKS = {"cloud": "opacity", "shadow": "shadow"}  # variables, by the kind of a product's files
ATTRIBUTES = {
    "frame": {"long_name": "reflectance-like values", "units": "1"},
    "opacity": {"long_name": "opacity of clouds", "units": "1"},
    "shadow": {"long_name": "share of light that shadows of clouds take", "units": "1"},
    "instance": {"long_name": "land parcel, 0 for background"},
    "label": {"long_name": "land-cover class, 0 for background"},
}


class Stack:
    """Arrays of several time steps, `(T, H, W, …)`, each read when its values are asked for."""

    def __init__(self, read: Read, steps: Sequence[int | None], shape: tuple[int, ...], dtype: DTypeLike) -> None:
        self._read, self._steps = read, steps
        self.shape, self.dtype, self.ndim = (len(steps), *shape), np.dtype(dtype), len(shape) + 1

    def __getitem__(self, key: tuple[int | slice, ...]) -> NDArray[np.generic]:
        chosen, *within = key
        if isinstance(chosen, slice):
            return np.stack([self._array(step)[tuple(within)] for step in self._steps[chosen]])
        return self._array(self._steps[chosen])[tuple(within)]

    def _array(self, step: int | None) -> NDArray[np.generic]:
        return np.full(self.shape[1:], np.nan, self.dtype) if step is None else self._read(step)

    def lazy(self, name: str) -> dask.array.Array:
        """A chunk for each time step. Dask takes arrays of equal names for one."""
        return dask.array.from_array(self, (1, *self.shape[1:]), f"{name}-{uuid.uuid4().hex}", meta=np.empty(0))


def label(product: FrameSource, readers: Mapping[str, Read], masked: Mapping[str, Sequence[int]]) -> xr.Dataset:
    """Label the arrays of a product.

    Instances and classes have no time if they are the same at all steps, which takes reading them. Masks are NaN at
    steps that have none.

    Args:
        product: says what belongs to them.
        readers: of each kind of its files, by time step.
        masked: the steps that have a mask, by the kind of the mask.
    """
    features, steps = product.features, product.steps
    size = features.height, features.width
    names = ("time", "y", "x", "band")
    variables = {"frame": (names, Stack(readers["frame"], steps, (*size, features.nbands), np.float32).lazy("frame"))}
    for kind, there in masked.items():
        if there:
            known = [step if step in there else None for step in steps]
            variables[MASKS[kind]] = (names[:3], Stack(readers[kind], known, size, np.float32).lazy(kind))
    labels = _constant(readers["annotation"], steps)
    if labels is None:
        labels = Stack(readers["annotation"], steps, (*size, 2), np.int16).lazy("annotation")
    for layer, name in enumerate(("instance", "label")):
        variables[name] = (names[4 - labels.ndim : 3], labels[..., layer])
    found = xr.Dataset({name: xr.Variable(*content, ATTRIBUTES[name]) for name, content in variables.items()})
    found = found.assign_coords(_times(product))
    if product.georeference:
        from src.toygeneration.exchange.georeferencing import GRID_MAPPING, coordinates

        found = found.assign_coords(coordinates(product.georeference, *size))
        for name in variables:
            found[name].attrs["grid_mapping"] = GRID_MAPPING
    provenance = json.dumps(product.provenance(), ensure_ascii=False)
    return found.assign_attrs(
        Conventions=CONVENTIONS, horizon=features.horizon, parcels=features.ndigit, provenance=provenance
    )


def _constant(annotation: Read, steps: Sequence[int]) -> Labels | None:
    """The labels of all steps; None where they change."""
    first = annotation(steps[0])
    return first if all(np.array_equal(first, annotation(step)) for step in steps[1:]) else None


def _times(product: FrameSource) -> dict[str, xr.Variable]:
    """The time steps, and their dates where these are known."""
    step = xr.Variable("time", np.array(product.steps), {"long_name": "time step"})
    if product.dates is None or None in (known := [product.dates[number] for number in product.steps]):
        return {"time": step, "step": step}
    dates = np.array(known, "datetime64[us]")
    return {"time": xr.Variable("time", dates.astype("datetime64[ns]")), "step": step}
