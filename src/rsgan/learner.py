"""How an experiment learns: its optimisers and their schedules, figures of epochs, and what checkpoints hold."""

from collections.abc import Mapping
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor
from torchmetrics import Metric

from src.rsgan.building import build_experiment
from src.rsgan.checkpoint import IDENTITY
from src.rsgan.configuration import ExperimentConfig
from src.rsgan.data.store import Batch
from src.rsgan.experiments.experiment import Figures
from src.rsgan.experiments.optimization import CONSTANT
from src.rsgan.experiments.utils.losses import precision
from utils.errors import RunError
from utils.identity import Identity
from utils.seeding import Streams

OWN = "experiment."  # before the names of the networks' weights; checkpoints do without


class Means(Metric):
    """Means of named scalars over an epoch, weighted by the number of frames, and over processes; NaN before any."""

    full_state_update = False

    def __init__(self, *names: str) -> None:
        super().__init__()
        self.names = names
        self.add_state("total", torch.zeros(len(names), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("weight", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, figures: Mapping[str, Tensor], weight: int) -> None:
        self.total += torch.stack([figures[name].detach().double() for name in self.names]) * weight
        self.weight += weight

    def compute(self) -> dict[str, Tensor]:
        return dict(zip(self.names, (self.total / self.weight).float().unbind(), strict=True))


def _listed(found: Any) -> list[Any]:  # noqa: ANN401 - optimisers or schedules
    """Make a list of what Lightning gives as one where there is no other."""
    return found if isinstance(found, list) else [found]


class Learner(pl.LightningModule):
    """Lets an experiment learn by manual optimisation: one optimiser for each side of the game.

    Args:
        config: the experiment's, `sized`.
        identity: of the run: its seed draws weights and dropout, and checkpoints keep its record.
    """

    def __init__(self, config: ExperimentConfig, identity: Identity) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.config, self.identity = config, identity
        self.experiment = build_experiment(config, identity.seed)
        figures = self.experiment.figures
        # Persistent, so that an epoch that goes on from a checkpoint has the means of the whole.
        self.train_means, self.val_means = Means(*figures), Means(*figures)
        self.train_means.persistent(mode=True)

    def configure_optimizers(self) -> list[dict[str, Any]]:
        """Build the optimisers and schedules, in the order of the settings' `optimizers`."""
        made, schedules = [], self.config.lr_scheduler or {}
        for name, networks in self.config.experiment.optimizers.items():
            modules = [self.experiment.get_submodule(network) for network in networks]
            parameters = [parameter for module in modules for parameter in module.parameters()]
            optimizer = self.config.optimizer[name].build(parameters)
            made.append({"optimizer": optimizer, "lr_scheduler": schedules.get(name, CONSTANT).build(optimizer)})
        return made

    def on_train_start(self) -> None:
        """Refuse what a checkpoint holds of Adam where shapes differ: PyTorch would read what lies behind it."""
        for number, optimizer in enumerate(_listed(self.optimizers())):
            for parameter, state in optimizer.state.items():
                shapes = {"step": (), "exp_avg": parameter.shape, "exp_avg_sq": parameter.shape}
                for name, shape in shapes.items():
                    if tuple(state[name].shape) != shape:
                        found = f"found shape {tuple(state[name].shape)}, expected {tuple(shape)}"
                        raise ValueError(f"optimizer_states.{number}.{name}: {found}")

    def descend(self, name: str, loss: Tensor) -> None:
        """Let the networks of one optimiser take a step down a loss."""
        optimizer = _listed(self.optimizers())[list(self.config.experiment.optimizers).index(name)]
        optimizer.zero_grad()
        self.manual_backward(loss)
        norm = self.config.optimizer[name].clip_norm
        if norm is not None:
            # Lightning refuses: fused optimisers undo the scaling of half precision themselves, and later.
            scaler = getattr(self.trainer.precision_plugin, "scaler", None)
            parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
            torch.nn.utils.clip_grad_norm_(parameters, norm if scaler is None else norm * scaler.get_scale())
        optimizer.step()

    def training_step(self, sample: Batch, batch_idx: int) -> None:
        # Reseeded at each batch: dropout depends on nothing but the run's seed, the batch and the process, so a run
        # that goes on from a checkpoint draws what an uninterrupted one would.
        place = self.current_epoch, batch_idx, self.global_rank
        torch.manual_seed(Streams((self.identity.seed,)).integer("dropout", *place))
        self.train_means.update(self.experiment.step(sample, self.descend), weight=len(sample["target"]))

    def validation_step(self, sample: Batch, batch_idx: int) -> None:
        self.val_means.update(self.experiment.step(sample), weight=len(sample["target"]))

    def on_train_epoch_end(self) -> None:
        """Log the epoch's means and let learning rates decay."""
        self.log_dict(self._take(self.train_means, training=True))
        for schedule in _listed(self.lr_schedulers()):
            schedule.step()

    def on_validation_epoch_end(self) -> None:
        figures = self._take(self.val_means, training=False)
        self.log_dict(figures | {"val_loss": figures[self.experiment.figures[self.experiment.val_loss][1]]})

    def _take(self, means: Means, *, training: bool) -> Figures:
        """Figures of an epoch under their tags; the next epoch starts from nothing."""
        figures = means.compute()
        means.reset()
        tags = {name: pair[0] if training else pair[1] for name, pair in self.experiment.figures.items()}
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

    def weights(self) -> dict[str, Tensor]:
        """What is learnt, and the epoch's means so far, named as in checkpoints."""
        return {name.removeprefix(OWN): value for name, value in self.state_dict().items()}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Say which run the checkpoint belongs to, and what training is in the middle of."""
        checkpoint |= {"state_dict": self.weights(), IDENTITY: self.identity.record(), **self.experiment.memory()}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.experiment.remember(checkpoint)
        own = {name.removeprefix(OWN): name for name in self.state_dict()}
        checkpoint["state_dict"] = {own[name]: value for name, value in checkpoint["state_dict"].items()}
