"""What deterministic experiments on whole series share."""

from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor

from src.rsgan.data.store import Batch
from src.rsgan.experiments import Generated
from src.rsgan.experiments.experiment import Channels, Descend, Figures, stay
from src.rsgan.experiments.utils import losses
from src.rsgan.experiments.utils.series import LOG_VARIANCES, SeriesExperiment, SeriesSettings, let_pass
from utils.fields import Amount


class Sequence(SeriesExperiment):
    """See `SequenceSettings`."""

    figures: ClassVar = {
        "generator": ("Loss/train_generator", "Loss/val_generator"),
        "discriminator": ("Loss/train_discriminator", "Loss/val_discriminator"),
        "mae": ("Metric/train_mae", "Metric/val_mae"),
    }
    val_loss = "generator"

    def step(self, sample: Batch, descend: Descend = stay) -> Figures:
        """Learn from the steps that exist."""
        exists, settings = sample["exists"], self.settings
        made = self.generator(sample["source"], sample["times"], exists)
        mean, log_variance = (None if part is None else part[exists] for part in self._parts(made, sample["source"]))
        source, target = sample["source"][exists], sample["target"][exists]
        loss, discriminator = self.fidelity(mean, target), mean.new_zeros(())
        if log_variance is not None:
            loss = loss + settings.variance_weight * losses.gaussian_nll(mean.detach(), log_variance, target)
        if settings.adversarial_weight:

            def objective(adversarial: Tensor) -> Tensor:
                return loss + settings.adversarial_weight * adversarial

            _, discriminator, _ = losses.compete(self.discriminator, mean, target, source, objective, descend)
        else:
            descend("generator", loss)
        return {"generator": loss, "discriminator": discriminator, "mae": losses.mean_absolute_error(mean, target)}

    def _parts(self, made: Tensor, source: Tensor) -> tuple[Tensor, Tensor | None]:
        """Mean and logarithm of the variance, `(B, T, C, H, W)`, of what the generator gives."""
        parts = [*made.float().chunk(self.settings.parts, dim=2)]
        mean = parts.pop(0)
        if self.settings.keeps_source:
            mean = let_pass(source, parts.pop(0), mean)
        return mean, parts.pop().clamp(*LOG_VARIANCES) if parts else None

    def translate(self, series: Batch) -> Tensor | Generated:
        mean, std = self._go(series)
        return mean if std is None else Generated(mean, std=std)

    def stages(self, series: Batch) -> dict[str, Tensor]:
        return {"Generated": self._go(series)[0]}

    def _go(self, series: Batch) -> tuple[Tensor, Tensor | None]:
        """Generate a series and its standard deviations, `(T, C, H, W)`."""
        source = series["source"][None]
        mean, log_variance = self._parts(self.in_tiles(source, series["times"][None]), source)
        return mean[0], None if log_variance is None else (log_variance[0] / 2).exp()


class SequenceSettings(SeriesSettings):
    """`smoothL1(mean, target) + variance_weight * NLL + adversarial_weight * BCE(D(mean, source), 1)` is minimised.

    Attributes:
        variance_weight: of the negative log likelihood of the target, normally distributed around the mean with a
            variance that the network gives too, if this is not 0 (Ebel et al. 2023, arXiv:2304.05464). Means learn
            nothing from it: where variances are large, they would learn little else.
        adversarial_weight: of a discriminator of frames, which learns too, if this is not 0.
    """

    variance_weight: Amount = 0
    adversarial_weight: Amount = 0

    builds = Sequence

    @property
    def optimizers(self) -> Mapping[str, tuple[str, ...]]:
        names = ("generator", "discriminator") if self.adversarial_weight else ("generator",)
        return {name: (name,) for name in names}

    @property
    def parts(self) -> int:
        """What the generator gives for each band of the target."""
        return 1 + self.keeps_source + bool(self.variance_weight)

    def channels(self, source: int, target: int) -> dict[str, Channels]:
        found = {"generator": (source, self.parts * target), "discriminator": (source + target, None)}
        return {name: found[name] for name in self.optimizers}
