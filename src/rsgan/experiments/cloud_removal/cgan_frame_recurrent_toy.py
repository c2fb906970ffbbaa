"""Cloud removal by a conditional GAN that also sees what it made of the frame before."""

from typing import TYPE_CHECKING, Any, Literal

import torch
from pydantic import PositiveInt
from torch import Tensor

from src.rsgan.data.store import Sample
from src.rsgan.experiments import EXPERIMENTS, Channels
from src.rsgan.experiments.utils.cgan import CGAN, CGANSettings

if TYPE_CHECKING:
    from src.rsgan.configuration import ExperimentConfig


@EXPERIMENTS.register
class FrameRecurrentSettings(CGANSettings):
    """See `CGANSettings`; by default a training epoch runs through the whole of each series, as testing does."""

    name: Literal["cgan_frame_recurrent_toy_cloud_removal"]
    frames_per_series: PositiveInt | None = None

    in_time_order = True

    def channels(self, source: int, target: int) -> dict[str, Channels]:
        """See `TrainedSettings`."""
        return super().channels(source, target) | {"generator": (source + target, target)}

    def build(self, config: "ExperimentConfig", *, seed: int) -> "FrameRecurrentCGAN":
        """See `TrainedSettings`."""
        return FrameRecurrentCGAN(config, seed=seed)


class FrameRecurrentCGAN(CGAN):
    """The generator's input is joined by its own output for the frame before, zeros at first.

    Training and validation remember apart, and each forgets at the first frame of its series.

    Args:
        config: the whole configuration.
        seed: of what is random in training.
    """

    def __init__(self, config: "ExperimentConfig", *, seed: int) -> None:
        super().__init__(config, seed=seed)
        self._previous: dict[str, Tensor | None] = {"train": None, "val": None}

    def generate(self, source: Tensor, *, first: bool) -> Tensor:
        """See `CGAN`; remembers what it generated, without its gradient."""
        mode = "train" if self.training else "val"
        generated = self._follow(source, None if first else self._previous[mode])
        self._previous[mode] = generated.detach().float()
        return generated

    def _follow(self, source: Tensor, previous: Tensor | None) -> Tensor:
        """Generate frames, given those before."""
        if previous is None:
            bands = self.config.model["generator"].out_channels
            previous = source.new_zeros((len(source), bands, *source.shape[2:]))
        return self.generator(torch.cat([source, previous], dim=1))

    def translate(self, series: Sample) -> Tensor:
        """See `Experiment`: frame by frame, on its own outputs."""
        previous, generated = None, []
        for frame in self.condition(series).split(1):
            previous = self._follow(frame, previous).float()
            generated.append(previous)
        return torch.cat(generated)

    def on_train_epoch_start(self) -> None:
        """Forget the epoch before."""
        self._previous["train"] = None

    def on_validation_epoch_start(self) -> None:
        """Forget the epoch before."""
        self._previous["val"] = None

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the memory of a series that training is in the middle of."""
        super().on_save_checkpoint(checkpoint)
        checkpoint["previous"] = self._previous["train"]

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Remember the series that training was in the middle of."""
        previous = checkpoint["previous"]
        self._previous["train"] = None if previous is None else previous.to(self.device)

    def _generated(self, series: list[Sample], last: Sample) -> dict[str, Tensor]:
        made = [self.translate(sample) for sample in series]
        before = [frames[-2:-1] if len(frames) > 1 else torch.zeros_like(frames) for frames in made]
        return {
            "Previous batch output - Optical (fake RGB)": torch.cat(before),
            "Generated - Optical (fake RGB)": torch.cat([frames[-1:] for frames in made]),
        }
