"""Arrays as colours: frames and maps of labels."""

import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


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
