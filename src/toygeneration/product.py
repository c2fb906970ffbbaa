"""A scene: parcels animated by time series, and the frames they make."""

from typing import Any

import numpy as np
from scipy.ndimage import find_objects

from src.toygeneration.blob import Parcel
from src.toygeneration.config_files import GenerationConfig
from src.toygeneration.frames import Features, Frame, FrameSource, Labels, Sample
from src.toygeneration.index import describe
from src.toygeneration.modules import voronoi
from src.toygeneration.timeserie.dataset import TSDataset
from utils.identity import digest
from utils.seeding import Streams

TEXTURE_AMPLITUDE = 0.5
WHITE = 255


class Product(FrameSource):
    """A latent product. Frames are made one at a time: a gather of the parcels' values, plus a static texture.

    Attributes:
        annotation: `(H, W, 2)`, instance and class of each pixel, the same at all steps.
        values: `(parcels + 1, horizon, bands)`, what each instance is worth at each step; the background first.
        texture: `(H, W, bands)`, in (-0.5, 0.5), added to every frame.

    Raises:
        ConfigError: If the horizon is longer than the series of a class.
    """

    def __init__(self, config: GenerationConfig, dataset: TSDataset, seed: int) -> None:
        scene = config.product
        dataset.check_horizon(scene.horizon)
        self.features = Features(scene.size.width, scene.size.height, scene.nbands, scene.horizon, scene.n_polygons)
        self.seeds = (seed,)
        self.steps = list(range(scene.horizon))
        self.astype = config.astype
        self._config, self._time_series = config, dataset.files
        streams = Streams(self.seeds)
        size = scene.size.height, scene.size.width
        points = voronoi.draw_points(scene.n_polygons, *size, rng=streams.rng("polygons"))
        cells, borders = voronoi.rasterise(points, *size), voronoi.border_mask(points, *size, scene.border_width)
        parcels = _parcels(cells, config, dataset, streams)
        self.texture = _texture(parcels, config, _own(config, dataset), streams)
        self.texture[borders] = 0
        cells[borders] = 0
        self._cells = cells.astype(np.intp)  # what a gather wants
        classes = np.array([0] + [parcel.label for parcel in parcels], dtype=np.int16)
        self.annotation = np.stack([cells, classes[cells]], axis=-1)
        background = np.full((1, scene.horizon, scene.nbands), scene.background_color / WHITE)
        self.values = np.concatenate([background, [p.series for p in parcels]]).astype(np.float32)

    def _make(self, step: int) -> Sample:
        return {"frame": self.frame(step), "annotation": self.annotation}

    def frame(self, step: int) -> Frame:
        """Make one frame `(H, W, C)`: parcels in (-0.5, 1.5), the background flat."""
        values = np.ascontiguousarray(self.values[:, step])  # (parcels + 1, bands)
        frame = np.take(values, self._cells, axis=0)  # (H, W, bands)
        frame += self.texture
        return frame

    def provenance(self) -> dict[str, Any]:
        return describe(self.seeds[0], self._config, list(self._time_series))


def _parcels(cells: Labels, config: GenerationConfig, dataset: TSDataset, streams: Streams) -> list[Parcel]:
    scene, held_out = config.product, config.ts.holds_out(streams.seeds[0])
    labels = streams.rng("labels").integers(1, dataset.nclass + 1, scene.n_polygons)
    places = find_objects(cells, max_label=scene.n_polygons)
    parcels = []
    for instance, (label, found) in enumerate(zip(labels, places, strict=True), 1):
        place = found or (slice(0), slice(0))
        series = dataset.draw(label, scene.horizon, held_out=held_out, rng=streams.rng("series", instance))
        parcels.append(Parcel(instance, int(label), series, place, cells[place] == instance))
    return parcels


def _own(config: GenerationConfig, dataset: TSDataset) -> tuple[int, ...]:
    """What tells a product's texture from those of others of its seed, which read other series; nothing if shared."""
    if config.texture == "shared":
        return ()
    bands = config.ts.dims or list(range(config.ts.ndim))
    return (int(digest([[file["sha256"] for file in dataset.files], bands]), 16),)


def _texture(parcels: list[Parcel], config: GenerationConfig, own: tuple[int, ...], streams: Streams) -> Frame:
    """Draw the static texture `0.5 tanh(g)` of all parcels, `(H, W, C)`."""
    scene = config.product
    canvas = np.zeros((scene.nbands, scene.size.height, scene.size.width), np.float32)
    draw = config.random_sampler.prepare(max(max(parcel.mask.shape) for parcel in parcels))
    for parcel in parcels:
        field = draw(scene.nbands, *parcel.mask.shape, streams.rng("texture", parcel.instance, *own))
        np.copyto(canvas[:, *parcel.place], field, where=parcel.mask)
    np.tanh(canvas, out=canvas)
    canvas *= TEXTURE_AMPLITUDE
    texture = np.empty((*canvas.shape[1:], scene.nbands), np.float32)
    for band, layer in enumerate(canvas):  # one after the other: faster than to turn them all at once
        texture[..., band] = layer
    return texture
