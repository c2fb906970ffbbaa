"""What every experiment shares: optimisers and their schedules, epoch figures, validation, series, pictures."""

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from src.rsgan.checkpoint import IDENTITY
from src.rsgan.data.datasets import Kind
from src.rsgan.data.store import Sample
from src.rsgan.experiments.utils.figures import Means, precision
from utils.errors import RunError
from utils.seeding import Streams

if TYPE_CHECKING:
    from src.rsgan.configuration import ExperimentConfig

Figures = dict[str, Tensor]


class Experiment(pl.LightningModule):
    """Networks that learn to translate frames, by manual optimisation: one optimiser for each side of the game.

    A subclass computes a batch's figures in `step`, which descends losses when `self.training`. Figures are scalars
    that stay on the device; their means over an epoch are logged under the names of `figures`.

    Args:
        config: the whole configuration.
        seed: of what is random in training, such as dropout.

    Attributes:
        kinds: what training and validation samples must hold.
        figures: tags of each figure, in training and in validation. A discriminator's `recall…` and `fooling_rate…`
            are logged with its precision beside them.
        identity: what makes the run the run that it is, kept in checkpoints.
        val_loss: the figure that is also logged as `val_loss`, as the published experiments did.
    """

    kinds: ClassVar[tuple[Kind, ...]] = ("source", "target")
    figures: ClassVar[dict[str, tuple[str, str]]]
    val_loss: ClassVar[str]

    def __init__(self, config: "ExperimentConfig", *, seed: int) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.config, self._seed = config, seed
        self.identity: dict[str, Any] = {}
        for name, network in config.model.items():
            self.add_module(name, network.build().to(memory_format=torch.channels_last))
        # Persistent, so that an epoch that goes on from a checkpoint has the means of the whole.
        self.train_means, self.val_means = Means(*self.figures), Means(*self.figures)
        self.train_means.persistent(mode=True)

    @abstractmethod
    def step(self, sample: Sample) -> Figures:
        """Work through one batch: losses, and in training their descent.

        Args:
            sample: the batch.

        Returns:
            A scalar for each of `figures`.
        """

    @abstractmethod
    def translate(self, series: Sample) -> Tensor:
        """Generate the frames of series in time order, without learning.

        Args:
            series: one series; time is the first axis.

        Returns:
            `(T, C, H, W)` float32 in network scale, on the experiment's device.
        """

    @abstractmethod
    def pictures(self, series: list[Sample]) -> dict[str, Tensor]:
        """Show what the experiment makes of the last frame of some series.

        Args:
            series: the series up to and including the frame to show.

        Returns:
            Images `(N, C, H, W)` in network scale, by title.
        """

    def configure_optimizers(self) -> list[dict[str, Any]]:
        """Build the optimisers and schedules, in the order of the settings' `optimizers`."""
        schedules = self.config.lr_scheduler or {}
        made = []
        for name, networks in self.config.experiment.optimizers.items():
            parameters = [parameter for network in networks for parameter in self.get_submodule(network).parameters()]
            # Fused: one pass over the parameters instead of a dozen.
            optimizer = torch.optim.Adam(parameters, **self.config.optimizer[name].model_dump(), fused=True)
            gamma = schedules[name].gamma if name in schedules else 1.0
            made.append(
                {"optimizer": optimizer, "lr_scheduler": torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma)}
            )
        return made

    def descend(self, name: str, loss: Tensor) -> None:
        """Take one step down a loss; in validation, do nothing.

        Args:
            name: of the optimiser.
            loss: a scalar.
        """
        if not self.training:
            return
        optimizer = self.optimizers()[list(self.config.experiment.optimizers).index(name)]
        optimizer.zero_grad()
        self.manual_backward(loss)
        optimizer.step()

    def training_step(self, sample: Sample, batch_idx: int) -> None:
        """Learn from one batch."""
        # Reseeded at each batch: dropout depends on nothing but the run's seed, the batch and the process, so a run
        # that goes on from a checkpoint draws what an uninterrupted one would.
        stream = Streams((self._seed,)).rng("dropout", self.current_epoch, batch_idx, self.global_rank)
        torch.manual_seed(int(stream.integers(2**63)))
        self.train_means.update(self.step(sample), weight=len(sample["target"]))

    def validation_step(self, sample: Sample, batch_idx: int) -> None:
        """Measure one batch."""
        self.val_means.update(self.step(sample), weight=len(sample["target"]))

    def on_train_epoch_end(self) -> None:
        """Log the epoch's means and let learning rates decay."""
        self.log_dict(self._take(self.train_means, training=True))
        for schedule in self.lr_schedulers():
            schedule.step()

    def on_validation_epoch_end(self) -> None:
        """Log the epoch's means."""
        figures = self._take(self.val_means, training=False)
        self.log_dict(figures | {"val_loss": figures[self.figures[self.val_loss][1]]})

    def _take(self, means: Means, *, training: bool) -> Figures:
        """Figures of an epoch under their tags; the next epoch starts from nothing."""
        figures = means.compute()
        means.reset()
        tags = {name: pair[0] if training else pair[1] for name, pair in self.figures.items()}
        logged = {tags[name]: figure for name, figure in figures.items()}
        for name in (name for name in figures if name.startswith("recall")):
            fooling_rate = figures[name.replace("recall", "fooling_rate")]
            logged[tags[name].replace("recall", "precision")] = precision(figures[name], fooling_rate)
        infinite = [tag for tag, figure in logged.items() if not torch.isfinite(figure)]
        if infinite:
            raise RunError(
                f"epoch {self.current_epoch}: {', '.join(infinite)} not finite: training diverged; lower the learning "
                "rates or use precision 32, and start over"
            )
        return logged

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Say which run the checkpoint belongs to."""
        checkpoint[IDENTITY] = self.identity

    def describe(self) -> str:
        """Say in one line how large the networks are.

        Returns:
            Millions of parameters, by network.
        """
        sizes = {name: sum(p.numel() for p in self.get_submodule(name).parameters()) for name in self.config.model}
        return ", ".join(f"{name} {size / 1e6:.2f} M parameters" for name, size in sizes.items())


def judge(discriminator: nn.Module, images: Tensor, condition: Tensor) -> Tensor:
    """Ask a conditional discriminator.

    Args:
        discriminator: the network.
        images: `(N, C, H, W)`, real or generated.
        condition: `(N, D, H, W)`, what they should correspond to.

    Returns:
        Logits, positive for "real".
    """
    return discriminator(torch.cat([images, condition], dim=1))


def mean_absolute_error(generated: Tensor, real: Tensor) -> Tensor:
    """Mean absolute error in network scale, without gradients.

    Args:
        generated: images.
        real: images of the same shape.

    Returns:
        A scalar.
    """
    return (generated.detach().float() - real).abs().mean()
