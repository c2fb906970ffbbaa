"""Image sizes in configurations: `{width: …, height: …}`."""

from pydantic import PositiveInt

from utils.registry import Configured


class Size(Configured):
    """An image size in pixels.

    Attributes:
        width: number of columns.
        height: number of rows.
    """

    width: PositiveInt
    height: PositiveInt
