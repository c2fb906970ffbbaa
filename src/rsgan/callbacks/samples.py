"""What the experiment makes of the same validation frames, after each epoch."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytorch_lightning as pl
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from pytorch_lightning.callbacks import Callback

from src.rsgan.data.datamodule import ToyDataModule
from src.rsgan.data.store import Batch, to_device
from src.rsgan.data.views import to_reflectance
from src.rsgan.experiments.experiment import Experiment
from src.rsgan.learner import Learner
from utils.colours import to_picture
from utils.files import new_file

VIEWS = 4
SIDE = 128  # pixels that a small frame is enlarged to
GAP, HEADER = 4, 30  # pixels
Images = NDArray[np.uint8]


class Samples(Callback):
    """Logs images to TensorBoard and as one PNG an epoch: a row for each view, a column for each kind of image."""

    def __init__(self, folder: Path, data: ToyDataModule) -> None:
        self._folder, self._data = folder, data
        horizon = min(view.features.horizon for view in data.views("val")[:VIEWS])
        middle = horizon // 2
        self._context = data.batching.context(middle, horizon)
        self._step = middle - self._context.start
        self._series: list[Batch] = []

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: Learner) -> None:
        if not trainer.is_global_zero:
            return
        self._series = self._series or self._choose(pl_module.experiment)
        series = [to_device(sample, pl_module.device) for sample in self._series]
        with torch.no_grad(), trainer.precision_plugin.forward_context():
            pictures = {
                title: to_levels(images) for title, images in pl_module.experiment.pictures(series, self._step).items()
            }
        with new_file(self._folder / f"epoch={trainer.current_epoch}.png") as temporary:
            contact_sheet(pictures).save(temporary)
        for title, images in pictures.items():
            trainer.logger.experiment.add_images(title, images, trainer.current_epoch, dataformats="NHWC")

    def _choose(self, experiment: Experiment) -> list[Batch]:
        """The first views: of each, what must be known to translate the frame in the middle of the series."""
        data = self._data
        series = [data.series("val", number, experiment.kinds) for number in range(min(VIEWS, len(data.names["val"])))]
        return [
            Batch(first=True, **{name: sample[name][self._context] for name in (*experiment.kinds, "times")})
            for sample in series
        ]


def to_levels(images: torch.Tensor) -> Images:
    """Turn images `(N, C, H, W)` in network scale into what a screen shows, `(N, H, W, 3)`, 0 to 255.

    The first three bands are red, green and blue; a single band, or the first of two, becomes grey.
    """
    reflectance = to_reflectance(images[:, :3].detach().float())
    return to_picture(reflectance.movedim(1, -1).cpu().numpy())  # (N, C, H, W) -> (N, H, W, C)


def contact_sheet(pictures: Mapping[str, Images]) -> Image.Image:
    """Put images `(N, H, W, 3)`, 0 to 255, side by side: one column for each title, one row for each image."""
    number, height, width, _ = next(iter(pictures.values())).shape
    scale = max(1, SIDE // min(height, width))
    height, width = height * scale, width * scale
    size = len(pictures) * (width + GAP) + GAP, number * (height + GAP) + HEADER + GAP
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    for column, (title, images) in enumerate(pictures.items()):
        left = GAP + column * (width + GAP)
        draw.text((left, 2), title.removesuffix(" (fake RGB)").replace(" - ", "\n"), fill=0)
        for row, image in enumerate(images):
            large = Image.fromarray(image).resize((width, height), Image.Resampling.NEAREST)
            sheet.paste(large, (left, HEADER + GAP + row * (height + GAP)))
    return sheet
