"""Pictures of results: strips of frames, class maps, confusion matrices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from src.rsgan.evaluation.metrics.classification import class_jaccard, classification_scores
from utils.brightness import white_of
from utils.colours import colour_labels, palette, show_row, to_picture
from utils.files import new_file

DPI = 100
SIDE = 1.6  # inches of a frame
LARGEST_ERROR = 0.3  # of reflectance, at the bright end of the colour scale, where white is reflectance 1
Maps = Mapping[str, NDArray[np.integer]]
LabelledMaps = tuple[str, NDArray[np.integer], Maps]  # title, truth (H, W), predictions (H, W) by name


@dataclass(frozen=True, eq=False)
class Strip:
    """Chosen time steps of one view."""

    title: str
    steps: Sequence[int]
    frames: Mapping[str, NDArray[np.floating]]  # (S, H, W, C) in reflectance, by name of the row, from top to bottom
    errors: Mapping[str, NDArray[np.floating]]  # (S, H, W), means over bands, in reflectance, by name of the row below


def draw_strips(strips: Sequence[Strip], path: Path) -> None:
    """Draw time steps across, and source, generated and target frames and their errors down, view after view.

    All are as bright as the targets ask for.
    """
    rows = sum(len(strip.frames) + len(strip.errors) for strip in strips)
    columns = max(len(strip.steps) for strip in strips)
    figure = Figure(figsize=(columns * SIDE + 1.2, rows * SIDE * 1.08), dpi=DPI, layout="compressed")
    white = white_of(np.stack([strip.frames["target"] for strip in strips]))
    axes = iter(figure.subplots(rows, squeeze=False).ravel())
    for strip in strips:
        first, *others = (f"step {step}" for step in strip.steps)
        titles = [f"{strip.title}, {first}", *others]
        titles[-1] += "" if white == 1 else f", white: {white:g}"
        for name, frames in strip.frames.items():
            axis = next(axes)
            axis.set_ylabel(name, fontsize=9)
            show_row(axis, to_picture(frames / white), titles)
            titles = []
        for name, errors in strip.errors.items():
            axis = next(axes)
            axis.set_ylabel(name, fontsize=9)
            shown = show_row(axis, errors, fill=np.nan, cmap="magma", vmin=0, vmax=LARGEST_ERROR * white)
            figure.colorbar(shown, ax=axis, label="reflectance", extend="max", aspect=10)
    _save(figure, path)


def draw_class_maps(views: Sequence[LabelledMaps], path: Path) -> None:
    """Draw the true class map of views beside those predicted from real and generated series."""
    number = max(1, *(int(truth.max()) for _, truth, _ in views))
    columns = 1 + len(views[0][2])
    figure = Figure(figsize=(columns * SIDE * 1.6, len(views) * SIDE * 1.75 + 0.4), dpi=DPI, layout="compressed")
    for axis, (title, truth, predicted) in zip(figure.subplots(len(views), squeeze=False).ravel(), views, strict=True):
        titles = [f"{title}: true classes"]
        for name, found in predicted.items():
            right = (found == truth)[truth > 0]
            titles.append(f"from {name} frames: {f'{right.mean():.0%} right' if right.size else 'no land parcel'}")
        show_row(axis, np.stack([colour_labels(labels, number) for labels in (truth, *predicted.values())]), titles)
    handles = [Patch(color=colour, label=f"class {i}") for i, colour in enumerate(palette(number)) if i]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(number, 6), fontsize=9, frameon=False)
    _save(figure, path)


def draw_confusion(counts: NDArray[np.integer], title: str, path: Path) -> None:
    """Draw a confusion matrix `(K, K)`, rows true and columns predicted: shares of each true class, and counts."""
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    number = len(counts)
    scores = classification_scores(counts)
    figure = Figure(figsize=(4 + 0.8 * number, 2.2 + 0.8 * number), dpi=DPI, layout="constrained")
    axis = figure.subplots()
    shown = axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for true in range(number):
        for predicted in range(number):
            share = shares[true, predicted]
            text = f"{share:.1%}\n{counts[true, predicted]}"
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


def _save(figure: Figure, path: Path) -> None:
    with new_file(path) as temporary:
        figure.savefig(temporary)
