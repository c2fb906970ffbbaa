"""Cloud removal by a conditional GAN that also sees what it made of the frame before."""

from collections.abc import Mapping
from typing import Any, Literal

import torch
from pydantic import PositiveInt
from torch import Tensor

from src.rsgan.data.store import Batch
from src.rsgan.experiments import EXPERIMENTS
from src.rsgan.experiments.experiment import Channels
from src.rsgan.experiments.utils.cgan import CGAN, CGANSettings
from src.rsgan.models import Network
from utils.fields import Share


class FrameRecurrentCGAN(CGAN):
    """The generator's input is joined by its own output for the frame before, zeros at the first of a series."""

    def __init__(self, settings: CGANSettings, networks: Mapping[str, Network]) -> None:
        super().__init__(settings, networks)
        self._previous: Tensor | None = None

    def generate(self, source: Tensor, *, first: bool) -> Tensor:
        """Translate, and remember what was generated, without its gradient."""
        previous = None if first else self._previous
        if previous is not None and self.training:
            kept = torch.rand(len(previous), 1, 1, 1) >= self.settings.forgetting
            previous = previous * kept.to(previous)
        generated = self._follow(source, previous)
        self._previous = generated.detach().float()
        return generated

    def _follow(self, source: Tensor, previous: Tensor | None) -> Tensor:
        """Generate frames, given those before."""
        if previous is None:
            bands = self.configured["generator"].out_channels
            previous = source.new_zeros((len(source), bands, *source.shape[2:]))
        return self.generator(torch.cat([source, previous], dim=1))

    def translate(self, series: Batch) -> Tensor:
        """Go frame by frame, on its own outputs."""
        previous, generated = None, []
        for frame in self.condition(series).split(1):
            previous = self._follow(frame, previous).float()
            generated.append(previous)
        return torch.cat(generated)

    def memory(self) -> dict[str, Tensor | None]:
        return {"previous": self._previous}

    def remember(self, memory: Mapping[str, Any]) -> None:
        previous, shape = memory["previous"], self.configured["generator"].output_size
        if previous is not None and previous.shape[1:] != shape:
            raise ValueError(f"previous: found shape {tuple(previous.shape)}, expected (frames, {str(shape)[1:]}")
        self._previous = None if previous is None else previous.to(next(self.parameters()).device)

    def _generated(self, series: list[Batch], last: Batch) -> dict[str, Tensor]:
        made = [self.translate(sample) for sample in series]
        before = [frames[-2:-1] if len(frames) > 1 else torch.zeros_like(frames) for frames in made]
        return {
            "Previous batch output - Optical (fake RGB)": torch.cat(before),
            "Generated - Optical (fake RGB)": torch.cat([frames[-1:] for frames in made]),
        }


@EXPERIMENTS.register
class FrameRecurrentSettings(CGANSettings):
    """By default a training epoch runs through the whole of each series, as testing does.

    Attributes:
        forgetting: share of frames that are made without memory in training, like the first of a series: by itself,
            that is one batch in thirty, from which a generator learns little for it.
    """

    name: Literal["cgan_frame_recurrent_toy_cloud_removal"]
    frames_per_series: PositiveInt | None = None
    forgetting: Share = 0.1

    in_time_order = True
    sees = "series"
    builds = FrameRecurrentCGAN

    def channels(self, source: int, target: int) -> dict[str, Channels]:
        return super().channels(source, target) | {"generator": (source + target, target)}
