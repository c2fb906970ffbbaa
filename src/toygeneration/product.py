"""A scene: parcels animated by time series, and the frames they make."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects

from src.toygeneration import provenance
from src.toygeneration.blob import Parcel
from src.toygeneration.config_files import GenerationConfig, Scene
from src.toygeneration.frames import Features, Frame, FrameSource, Labels, Sample
from src.toygeneration.modules import voronoi
from src.toygeneration.timeserie.dataset import TSDataset
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
        cells, borders = _layout(scene, streams)
        parcels = _parcels(cells, scene, dataset, streams)
        self.texture = _texture(parcels, config, streams)
        self.texture[borders] = 0
        cells[borders] = 0
        self._cells = cells.astype(np.intp)  # what a gather wants
        self.annotation = _annotation(cells, parcels)
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
        return provenance.describe(self.seeds[0], self._config, list(self._time_series))


def _layout(scene: Scene, streams: Streams) -> tuple[Labels, NDArray[np.bool_]]:
    """Draw the parcels' cells and the borders between them, each `(H, W)`."""
    size = scene.size.height, scene.size.width
    points = voronoi.draw_points(scene.n_polygons, *size, rng=streams.rng("polygons"))
    return voronoi.rasterise(points, *size), voronoi.border_mask(points, *size, scene.border_width)


def _parcels(cells: Labels, scene: Scene, dataset: TSDataset, streams: Streams) -> list[Parcel]:
    labels = streams.rng("labels").integers(1, dataset.nclass + 1, scene.n_polygons)
    places = find_objects(cells, max_label=scene.n_polygons)
    return [
        Parcel(
            instance=instance,
            label=int(label),
            series=dataset.draw(label, scene.horizon, rng=streams.rng("series", instance)),
            place=place,
            mask=None if place is None else cells[place] == instance,
        )
        for instance, (label, place) in enumerate(zip(labels, places, strict=True), 1)
    ]


def _texture(parcels: list[Parcel], config: GenerationConfig, streams: Streams) -> Frame:
    """Draw the static texture `0.5 tanh(g)` of all parcels, `(H, W, C)`."""
    scene = config.product
    canvas = np.zeros((scene.nbands, scene.size.height, scene.size.width), np.float32)
    draw = config.random_sampler.prepare(max(max(parcel.size) for parcel in parcels))
    for parcel in parcels:
        if parcel.place is not None:
            parcel.paint(canvas, draw(scene.nbands, *parcel.size, streams.rng("texture", parcel.instance)))
    np.tanh(canvas, out=canvas)
    canvas *= TEXTURE_AMPLITUDE
    texture = np.empty((*canvas.shape[1:], scene.nbands), np.float32)
    for band, layer in enumerate(canvas):
        texture[..., band] = layer
    return texture


def _annotation(cells: Labels, parcels: list[Parcel]) -> Labels:
    """Instance and class of each pixel, `(H, W, 2)`."""
    classes = np.array([0] + [parcel.label for parcel in parcels], dtype=np.int16)
    return np.stack([cells, classes[cells]], axis=-1)
