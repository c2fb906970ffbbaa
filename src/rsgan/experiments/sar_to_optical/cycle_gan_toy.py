"""SAR-to-optical translation by a cycle-consistent GAN that also learns from pairs."""

from typing import ClassVar, Literal

import torch
from torch import Tensor

from src.rsgan.data.store import Batch
from src.rsgan.experiments import EXPERIMENTS
from src.rsgan.experiments.experiment import Channels, Descend, Experiment, Figures, FrameSettings, stay
from src.rsgan.experiments.utils import losses
from utils.fields import Amount


class CycleGANToySARToOptical(Experiment):
    """Zhu et al. (2017), https://doi.org/10.1109/ICCV.2017.244, with pairs: see `CycleGANSettings`."""

    figures: ClassVar = {
        "generator_AB": ("Loss/train_generator_AB", "Loss/val_generator_AB"),
        "generator_BA": ("Loss/train_generator_BA", "Loss/val_generator_BA"),
        "cycle_loss_AB": ("Loss/cycle_loss_AB", "Loss/val_cycle_loss_AB"),
        "cycle_loss_BA": ("Loss/cycle_loss_BA", "Loss/val_cycle_loss_BA"),
        "mae_AB": ("Loss/mae_AB", "Metric/val_mae"),
        "mae_BA": ("Loss/mae_BA", "Metric/val_mae_BA"),
        "discriminator_A": ("Loss/train_discriminator_A", "Loss/val_discriminator_A"),
        "discriminator_B": ("Loss/train_discriminator_B", "Loss/val_discriminator_B"),
        "fooling_rate_A": ("Metric/train_fooling_rate_A", "Metric/val_fooling_rate_A"),
        "fooling_rate_B": ("Metric/train_fooling_rate_B", "Metric/val_fooling_rate"),
        "recall_A": ("Metric/train_recall_A", "Metric/val_recall_A"),
        "recall_B": ("Metric/train_recall_B", "Metric/val_recall"),
    }
    val_loss = "discriminator_B"

    def step(self, sample: Batch, descend: Descend = stay) -> Figures:
        """One pass of each generator serves both sides."""
        sar, optical = sample["source"], sample["target"]
        made_optical, made_sar = self.generator_AB(sar), self.generator_BA(optical)
        with_sar = self._discriminate("A", sar, made_sar, optical, descend)
        with_optical = self._discriminate("B", optical, made_optical, sar, descend)
        with losses.frozen(self.discriminator_A, self.discriminator_B):
            there, loss_there = self._generate(sar, optical, made_optical, "AB")
            back, loss_back = self._generate(optical, sar, made_sar, "BA")
            descend("generators", loss_there + loss_back)
        return with_sar | with_optical | there | back

    def _discriminate(self, domain: str, real: Tensor, made: Tensor, condition: Tensor, descend: Descend) -> Figures:
        """Let one discriminator learn."""
        name = f"discriminator_{domain}"
        on_real, on_made = (
            losses.judge(self.get_submodule(name), images, condition) for images in (real, made.detach())
        )
        loss = losses.discriminator_loss(on_real, on_made)
        descend(name, loss)
        return {name: loss, **losses.judgement(on_real, on_made, f"_{domain}")}

    def _generate(self, source: Tensor, target: Tensor, made: Tensor, way: str) -> tuple[Figures, Tensor]:
        """Loss of one generator, and of coming back by the other."""
        back = self.generator_BA if way == "AB" else self.generator_AB
        discriminator = self.discriminator_B if way == "AB" else self.discriminator_A
        adversarial = losses.real_loss(losses.judge(discriminator, made, source))
        cycle = losses.smooth_l1(back(made), source)
        paired = losses.smooth_l1(made, target)
        loss = adversarial + self.settings.consistency_weight * cycle + self.settings.supervision_weight * paired
        mae = losses.mean_absolute_error(made, target)
        return {f"generator_{way}": adversarial, f"cycle_loss_{way}": cycle, f"mae_{way}": mae}, loss

    def translate(self, series: Batch) -> Tensor:
        return self.generator_AB(series["source"]).float()

    def pictures(self, series: list[Batch], step: int) -> dict[str, Tensor]:
        """Titles are the published ones."""
        sar, optical = (torch.stack([sample[kind][step] for sample in series]) for kind in ("source", "target"))
        return {
            "Domain A - SAR (fake RGB)": sar,
            "Generated Domain B - Optical (fake RGB)": self.generator_AB(sar).float(),
            "Domain B - Optical (fake RGB)": optical,
            "Generated Domain A - SAR (fake RGB)": self.generator_BA(optical).float(),
        }


@EXPERIMENTS.register
class CycleGANSettings(FrameSettings):
    """Two generators, A (SAR) to B (optical) and back, and a conditional discriminator of each domain.

    Both ways, `adversarial + consistency_weight * smoothL1(cycle) + supervision_weight * smoothL1(paired)` is
    minimised.
    """

    name: Literal["cycle_gan_toy_sar_to_optical"]
    consistency_weight: Amount
    supervision_weight: Amount

    optimizers: ClassVar = {
        "generators": ("generator_AB", "generator_BA"),
        "discriminator_A": ("discriminator_A",),
        "discriminator_B": ("discriminator_B",),
    }
    builds = CycleGANToySARToOptical

    def channels(self, source: int, target: int) -> dict[str, Channels]:
        both = (source + target, None)
        generators = {"generator_AB": (source, target), "generator_BA": (target, source)}
        return generators | {"discriminator_A": both, "discriminator_B": both}
