"""What experiments with a conditional GAN share."""

from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor

from src.rsgan.data.store import Sample
from src.rsgan.experiments import Channels, TrainedSettings, Weight
from src.rsgan.experiments.experiment import Experiment, Figures, judge, mean_absolute_error
from src.rsgan.experiments.utils.figures import judgement
from src.rsgan.experiments.utils.losses import discriminator_loss, frozen, real_loss, smooth_l1

if TYPE_CHECKING:
    from src.rsgan.configuration import ExperimentConfig


class CGANSettings(TrainedSettings):
    """A conditional GAN: `BCE(D(G(s), s), 1) + l1_regularization_weight * smoothL1(G(s), t)` is minimised.

    Attributes:
        l1_regularization_weight: weight of fidelity against realism.
    """

    l1_regularization_weight: Weight

    networks = ("generator", "discriminator")
    optimizers: ClassVar = {"generator": ("generator",), "discriminator": ("discriminator",)}
    dataset = "toy_cloud_removal"
    monitors = (
        "Metric/val_mae",
        "Metric/val_fooling_rate",
        "Metric/val_precision",
        "Metric/val_recall",
        "Loss/val_generator",
        "Loss/val_discriminator",
        "val_loss",
    )

    def channels(self, source: int, target: int) -> dict[str, Channels]:
        """See `TrainedSettings`."""
        return {"generator": (source, target), "discriminator": (source + target, None)}

    def build(self, config: "ExperimentConfig", *, seed: int) -> "CGAN":
        """See `TrainedSettings`."""
        return CGAN(config, seed=seed)


class CGAN(Experiment):
    """Isola et al. (2017), https://doi.org/10.1109/CVPR.2017.632: see `Experiment` and `CGANSettings`."""

    figures: ClassVar = {
        "generator": ("Loss/train_generator", "Loss/val_generator"),
        "discriminator": ("Loss/train_discriminator", "Loss/val_discriminator"),
        "mae": ("Metric/train_mae", "Metric/val_mae"),
        "fooling_rate": ("Metric/train_fooling_rate", "Metric/val_fooling_rate"),
        "recall": ("Metric/train_recall", "Metric/val_recall"),
    }
    val_loss = "discriminator"

    def condition(self, sample: Sample) -> Tensor:
        """Pick what the networks are told.

        Args:
            sample: a batch.

        Returns:
            `(N, C, H, W)`, source of the translation.
        """
        return sample["source"]

    def generate(self, source: Tensor, *, first: bool) -> Tensor:
        """Translate one batch.

        Args:
            source: `(N, C, H, W)`.
            first: whether it holds the first frames of their series.

        Returns:
            `(N, target bands, H, W)`.
        """
        return self.generator(source)

    def step(self, sample: Sample) -> Figures:
        """See `Experiment`; one pass of the generator serves both sides."""
        source, target = self.condition(sample), sample["target"]
        generated = self.generate(source, first=sample["first"])
        real = judge(self.discriminator, target, source)
        fake = judge(self.discriminator, generated.detach(), source)
        discriminator = discriminator_loss(real, fake)
        self.descend("discriminator", discriminator)
        with frozen(self.discriminator):
            adversarial = real_loss(judge(self.discriminator, generated, source))
            fidelity = smooth_l1(generated, target)
            self.descend("generator", adversarial + self.config.experiment.l1_regularization_weight * fidelity)
        return {
            "generator": adversarial,
            "discriminator": discriminator,
            "mae": mean_absolute_error(generated, target),
            **judgement(real, fake),
        }

    def translate(self, series: Sample) -> Tensor:
        """See `Experiment`."""
        return self.generate(self.condition(series), first=True).float()

    def pictures(self, series: list[Sample]) -> dict[str, Tensor]:
        """See `Experiment`; titles are the published ones."""
        last = {kind: torch.cat([sample[kind][-1:] for sample in series]) for kind in self.kinds}
        shown = {"Source - Optical (fake RGB)": self.condition(last)[:, :3]}
        if self.condition(last).shape[1] > last["target"].shape[1]:
            shown["Source - SAR (fake RGB)"] = last["source"][:, last["target"].shape[1] :]
        shown |= self._generated(series, last)
        return shown | {"Target - Optical (fake RGB)": last["target"]}

    def _generated(self, series: list[Sample], last: Sample) -> dict[str, Tensor]:
        return {"Generated - Optical (fake RGB)": self.translate(last)}
