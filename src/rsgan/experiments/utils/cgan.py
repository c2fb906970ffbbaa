"""What experiments with a conditional GAN share."""

from typing import ClassVar

import torch
from torch import Tensor

from src.rsgan.data.store import Batch
from src.rsgan.experiments.experiment import Channels, Descend, Experiment, Figures, FrameSettings, stay
from src.rsgan.experiments.utils import losses
from utils.fields import Amount


class CGAN(Experiment):
    """Isola et al. (2017), https://doi.org/10.1109/CVPR.2017.632: see `CGANSettings`."""

    figures: ClassVar = {
        "generator": ("Loss/train_generator", "Loss/val_generator"),
        "discriminator": ("Loss/train_discriminator", "Loss/val_discriminator"),
        "mae": ("Metric/train_mae", "Metric/val_mae"),
        "fooling_rate": ("Metric/train_fooling_rate", "Metric/val_fooling_rate"),
        "recall": ("Metric/train_recall", "Metric/val_recall"),
    }
    val_loss = "discriminator"

    def condition(self, sample: Batch) -> Tensor:
        """Pick what the networks are told: `(N, C, H, W)`."""
        return sample["source"]

    def generate(self, source: Tensor, *, first: bool) -> Tensor:
        """Translate one batch `(N, C, H, W)`, which may hold the first frames of their series."""
        return self.generator(source)

    def step(self, sample: Batch, descend: Descend = stay) -> Figures:
        """One pass of the generator serves both sides."""
        source, target = self.condition(sample), sample["target"]
        generated = self.generate(source, first=sample["first"])

        def objective(adversarial: Tensor) -> Tensor:
            return adversarial + self.settings.l1_regularization_weight * losses.smooth_l1(generated, target)

        adversarial, discriminator, judgement = losses.compete(
            self.discriminator, generated, target, source, objective, descend
        )
        return {
            "generator": adversarial,
            "discriminator": discriminator,
            "mae": losses.mean_absolute_error(generated, target),
            **judgement,
        }

    def translate(self, series: Batch) -> Tensor:
        return self.generate(self.condition(series), first=True).float()

    def pictures(self, series: list[Batch], step: int) -> dict[str, Tensor]:
        """Titles are the published ones, but for bands that are too few for a second sensor, such as an opacity."""
        last = {kind: torch.stack([sample[kind][step] for sample in series]) for kind in self.kinds}
        source, nbands = self.condition(last), last["target"].shape[1]
        shown = {"Source - Optical (fake RGB)": source[:, :3]}
        rest = source[:, nbands:]
        if rest.shape[1]:
            shown["Source - SAR (fake RGB)" if rest.shape[1] >= nbands else "Source - further bands"] = rest
        shown |= self._generated(series, last)
        return shown | {"Target - Optical (fake RGB)": last["target"]}

    def _generated(self, series: list[Batch], last: Batch) -> dict[str, Tensor]:
        return {"Generated - Optical (fake RGB)": self.translate(last)}


class CGANSettings(FrameSettings):
    """A conditional GAN: `BCE(D(G(s), s), 1) + l1_regularization_weight * smoothL1(G(s), t)` is minimised."""

    l1_regularization_weight: Amount

    optimizers: ClassVar = {"generator": ("generator",), "discriminator": ("discriminator",)}
    builds = CGAN

    def channels(self, source: int, target: int) -> dict[str, Channels]:
        return {"generator": (source, target), "discriminator": (source + target, None)}
