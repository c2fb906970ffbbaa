"""Pictures of results: strips of frames, class maps, confusion matrices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Patch
from numpy.typing import NDArray
from torch import Tensor

from src.rsgan.evaluation.metrics.classification import class_jaccard, classification_scores
from utils.colours import colour_labels, palette, to_picture
from utils.files import new_file

DPI = 100
SIDE = 1.6  # inches of a frame
GAP = 0.05  # between the frames of a row, of their width
WHITE = 255
LARGEST_ERROR = 0.3  # of reflectance, at the bright end of the colour scale
Maps = Mapping[str, NDArray[np.integer]]
LabelledMaps = tuple[str, NDArray[np.integer], Maps]  # title, truth (H, W), predictions (H, W) by name


@dataclass(frozen=True, eq=False)
class Strip:
    """Chosen time steps of one view.

    Attributes:
        frames: `(S, H, W, C)` in reflectance, by name of the row, from top to bottom.
        error: `(S, H, W)`, absolute error of the generated frames, a mean over bands, in reflectance.
    """

    title: str
    steps: Sequence[int]
    frames: Mapping[str, NDArray[np.floating]]
    error: NDArray[np.floating]


def draw_strips(strips: Sequence[Strip], path: Path) -> None:
    """Draw time steps across, and source, generated and target frames and their error down, view after view."""
    rows = sum(len(strip.frames) + 1 for strip in strips)
    columns = max(len(strip.steps) for strip in strips)
    figure = Figure(figsize=(columns * SIDE + 1.2, rows * SIDE * 1.08), dpi=DPI, layout="compressed")
    # One axis a row, not one a frame: most of the time to draw a picture goes into its axes.
    axes = iter(figure.subplots(rows, squeeze=False).ravel())
    for strip in strips:
        for number, (name, frames) in enumerate(strip.frames.items()):
            axis = next(axes)
            _show_row(axis, name, to_picture(frames), fill=WHITE)
            for column, step in enumerate(strip.steps if number == 0 else ()):
                title = f"{strip.title}, step {step}" if column == 0 else f"step {step}"
                place = column * _pitch(frames) - 0.5, -0.5
                axis.annotate(title, place, (0, 4), textcoords="offset points", fontsize=9)
        axis = next(axes)
        shown = _show_row(axis, "absolute error", strip.error, fill=np.nan, cmap="magma", vmin=0, vmax=LARGEST_ERROR)
        figure.colorbar(shown, ax=axis, label="reflectance", extend="max", aspect=10)
    _save(figure, path)


def _show_row(axis: Axes, name: str, images: NDArray[np.generic], *, fill: float, **colours: Any) -> AxesImage:  # noqa: ANN401
    """Draw images `(S, H, W, …)` side by side, with gaps."""
    _bare([axis])
    axis.set_ylabel(name, fontsize=9)
    count, height, width, *bands = images.shape
    row = np.full((height, count, _pitch(images), *bands), fill, images.dtype)
    row[:, :, :width] = images.swapaxes(0, 1)
    row = row.reshape(height, -1, *bands)  # (H, S, W + gap, …) -> (H, S (W + gap), …)
    return axis.imshow(row[:, : width - _pitch(images)], interpolation="nearest", **colours)


def _pitch(images: NDArray[np.generic]) -> int:
    """Pixels from one image `(S, H, W, …)` of a row to the next."""
    return images.shape[2] + max(1, round(GAP * images.shape[2]))


def draw_class_maps(views: Sequence[LabelledMaps], path: Path) -> None:
    """Draw the true class map of views beside those predicted from real and generated series."""
    number = max(1, *(int(truth.max()) for _, truth, _ in views))
    names = list(views[0][2])
    columns = len(names) + 1
    figure = Figure(figsize=(columns * SIDE * 1.6, len(views) * SIDE * 1.75 + 0.4), dpi=DPI, layout="compressed")
    axes = figure.subplots(len(views), columns, squeeze=False)
    _bare(axes.ravel())
    for line, (title, truth, predicted) in zip(axes, views, strict=True):
        line[0].imshow(colour_labels(truth, number), interpolation="nearest")
        line[0].set_title(f"{title}: true classes", loc="left", fontsize=9)
        for axis, name in zip(line[1:], names, strict=True):
            axis.imshow(colour_labels(predicted[name], number), interpolation="nearest")
            right = (predicted[name] == truth)[truth > 0]
            share = f"{right.mean():.0%} right" if right.size else "no land parcel"
            axis.set_title(f"from {name} frames: {share}", loc="left", fontsize=9)
    handles = [Patch(color=colour, label=f"class {i}") for i, colour in enumerate(palette(number)) if i]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(number, 6), fontsize=9, frameon=False)
    _save(figure, path)


def draw_confusion(confusion: Tensor | NDArray[np.integer], title: str, path: Path) -> None:
    """Draw a confusion matrix `(K, K)`, rows true and columns predicted: shares of each true class, and counts."""
    counts = torch.as_tensor(confusion)
    shares = (counts / counts.sum(dim=1, keepdim=True).clamp_min(1)).numpy()
    number = len(counts)
    scores = classification_scores(counts)
    figure = Figure(figsize=(4 + 0.8 * number, 2.2 + 0.8 * number), dpi=DPI, layout="constrained")
    axis = figure.subplots()
    shown = axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for true in range(number):
        for predicted in range(number):
            share = shares[true, predicted]
            text = f"{share:.1%}\n{int(counts[true, predicted])}"
            colour = "white" if share > 0.5 else "black"
            axis.text(predicted, true, text, ha="center", va="center", fontsize=8, color=colour)
    jaccard = class_jaccard(counts).tolist()
    axis.set_xticks(range(number), [str(i + 1) for i in range(number)])
    axis.set_yticks(range(number), [f"{i + 1}\nJaccard {jaccard[i]:.2f}" for i in range(number)], fontsize=8)
    axis.set(xlabel="predicted class", ylabel="true class")
    summary = f"Jaccard {scores['jaccard']:.3f}, accuracy {scores['accuracy']:.3f}, kappa {scores['kappa']:.3f}"
    axis.set_title(f"{title}\n{summary}", fontsize=9)
    figure.colorbar(shown, label="share of the true class", shrink=0.8)
    _save(figure, path)


def _bare(axes: Sequence[Axes]) -> None:
    for axis in axes:
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_visible(False)


def _save(figure: Figure, path: Path) -> None:
    with new_file(path) as temporary:
        figure.savefig(temporary)
