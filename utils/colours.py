"""Arrays as colours: frames and maps of labels; and rows of them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

Picture = NDArray[np.uint8]
GAP = 0.05  # between the images of a row, of their width
WHITE = 255


def to_picture(frame: NDArray[np.floating]) -> Picture:
    """Turn a frame `(…, H, W, C)`, or several, into a colour picture `(…, H, W, 3)`.

    Reflectance 0 to 1 becomes 0 to 255, and NaN 0.
    Three bands are shown as they are, of more the first, middle and last, of fewer the first in grey.
    """
    nbands = frame.shape[-1]
    shown = [0, (nbands - 1) // 2, nbands - 1] if nbands >= 3 else [0, 0, 0]
    return np.rint(np.clip(np.nan_to_num(frame[..., shown]), 0, 1) * 255).astype(np.uint8)


def palette(number: int) -> NDArray[np.float64]:
    """Colours for some labels and, the first one, black for the background: `(number + 1, 3)`, 0 to 1."""
    colours = colormaps["tab10"] if number <= 10 else colormaps["turbo"]
    order = np.arange(number) if number <= 10 else np.arange(number) * 0.618034 % 1  # neighbours far apart
    return np.concatenate([[[0, 0, 0]], colours(order)[:, :3]])


def colour_labels(labels: NDArray[np.integer], number: int) -> Picture:
    """Give each label `(H, W)` its own colour, and the background, 0, black: `(H, W, 3)`, 0 to 255."""
    return np.rint(palette(number)[labels] * 255).astype(np.uint8)


def show_row(
    axes: "Axes",
    images: NDArray[np.generic],
    titles: Sequence[str] = (),
    *,
    fill: float = WHITE,
    **colours: Any,  # noqa: ANN401 - of matplotlib's imshow
) -> "AxesImage":
    """Draw images `(S, H, W, …)` side by side, in one axes: most of the time for a picture goes into its axes."""
    count, height, width, *bands = images.shape
    pitch = width + max(1, round(GAP * width))
    row = np.full((height, count, pitch, *bands), fill, images.dtype)
    row[:, :, :width] = images.swapaxes(0, 1)
    row = row.reshape(height, -1, *bands)  # (H, S, W + gap, …) -> (H, S (W + gap), …)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    for number, title in enumerate(titles):
        axes.annotate(title, (number * pitch - 0.5, -0.5), (0, 4), textcoords="offset points", fontsize=10)
    return axes.imshow(row[:, : width - pitch], interpolation="nearest", **colours)
