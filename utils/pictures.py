"""Arrays as colours: frames and maps of labels."""

import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


def to_picture(frame: NDArray[np.floating]) -> Picture:
    """Turn a frame into a colour picture.

    Args:
        frame: `(…, H, W, C)`, one or several, reflectance-like; clipped to [0, 1].

    Returns:
        `(…, H, W, 3)`, 0 to 255: the bands themselves where there are three, the first, middle and last where there
        are more, the first in grey where there are fewer.
    """
    nbands = frame.shape[-1]
    shown = [0, (nbands - 1) // 2, nbands - 1] if nbands >= 3 else [0, 0, 0]
    return np.rint(np.clip(frame[..., shown], 0, 1) * 255).astype(np.uint8)


def palette(number: int) -> NDArray[np.float64]:
    """Choose colours for labels.

    Args:
        number: of labels, without the background.

    Returns:
        `(number + 1, 3)`, 0 to 1; the first, black, is the background's.
    """
    colours = colormaps["tab10"] if number <= 10 else colormaps["turbo"]
    order = np.arange(number) if number <= 10 else np.arange(number) * 0.618034 % 1  # neighbours far apart
    return np.concatenate([[[0, 0, 0]], colours(order)[:, :3]])


def colour_labels(labels: NDArray[np.integer], number: int) -> Picture:
    """Give each label its own colour, and the background black.

    Args:
        labels: `(H, W)`, from 0.
        number: of labels, without the background.

    Returns:
        `(H, W, 3)`, 0 to 255.
    """
    return np.rint(palette(number)[labels] * 255).astype(np.uint8)
