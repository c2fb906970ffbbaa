"""Tangential scale distortion of a line scanner."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field, PositiveFloat, PositiveInt

from src.toygeneration.modules.deformations import DEFORMATIONS, Deformation
from src.toygeneration.modules.resampling import AxisMap
from utils.errors import ConfigError

MeshNodes = Annotated[int, Field(ge=2, le=10**6)]


@DEFORMATIONS.register
class TangentialScaleDistortion(Deformation):
    """A line scanner's pixels shrink towards the edges of its swath.

    Along `axis`, of length S, the source coordinate x lands at `S / (1 + exp(-r (x - S/2)))`. With `r = 4 / S` the
    scale is 1 in the middle and falls off to either side; a larger r would magnify the middle.

    Coordinates are pixel indices. The map is exact at mesh nodes equally spaced from 0 to S and linear between them.
    """

    name: Literal["tangential_scale_distortion"]
    axis: Literal[0, 1]  # 0 along the rows (down), 1 along the columns (across)
    mesh_columns_cells: MeshNodes  # number of mesh nodes, used with axis 1
    mesh_rows_cells: MeshNodes  # number of mesh nodes, used with axis 0
    growth_rate: PositiveFloat | None = None  # r, per pixel; at most `4 / S`, which is the default
    image_width: PositiveInt | None = None  # likewise
    image_height: PositiveInt | None = None  # checked against the frames, where given

    def maps(self, height: int, width: int) -> tuple[AxisMap | None, AxisMap | None]:
        for key, found, given in (("width", width, self.image_width), ("height", height, self.image_height)):
            if given is not None and given != found:
                raise ConfigError(
                    f"deformation.image_{key}: found {given}, expected {found}, the {key} of the source's frames; "
                    "correct it or leave it out"
                )
        size = (height, width)[self.axis]
        along = AxisMap.from_coordinates(self.source_coordinates(size), size)
        return (along, None) if self.axis == 0 else (None, along)

    def source_coordinates(self, size: int) -> np.ndarray:
        """Source coordinates of the pixels `[int(min), int(max))` of an axis of length S that was deformed.

        Raises `ConfigError` if the growth rate is above `4 / S`, or so small that no pixel is left.
        """
        steepest = 4 / size
        rate = steepest if self.growth_rate is None else self.growth_rate
        if rate > steepest * (1 + 1e-9):
            raise ConfigError(
                f"deformation.growth_rate: found {rate:g}, expected at most 4 / {size} = {steepest:.6g} for an axis "
                f"of {size} pixels; lower it or leave it out"
            )
        nodes = np.linspace(0, size, self.mesh_rows_cells if self.axis == 0 else self.mesh_columns_cells)
        landed = size / (1 + np.exp(-rate * (nodes - size / 2)))
        kept = np.arange(int(landed[0]), int(landed[-1]))
        if not len(kept):
            raise ConfigError(
                f"deformation.growth_rate: {rate:g} shrinks {size} pixels to none; raise it towards {steepest:.6g}"
            )
        return np.interp(kept, landed, nodes)
