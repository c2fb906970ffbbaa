"""How networks descend their losses."""

from collections.abc import Iterable
from typing import Annotated

import torch
from pydantic import Field, PositiveFloat
from torch import nn

from utils.registry import Configured

Beta = Annotated[float, Field(ge=0, lt=1)]


class Adam(Configured):
    """An optimiser: Kingma & Ba (2015), https://arxiv.org/abs/1412.6980."""

    lr: PositiveFloat
    betas: Annotated[tuple[Beta, Beta], Field(strict=False)] = (0.9, 0.999)
    eps: PositiveFloat = 1e-8
    weight_decay: Annotated[float, Field(ge=0)] = 0.0

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Adam:
        # Fused: one pass over the parameters instead of a dozen.
        return torch.optim.Adam(parameters, **self.model_dump(), fused=True)


class ExponentialDecay(Configured):
    """A learning rate's schedule: it is multiplied by gamma after each epoch."""

    gamma: Annotated[float, Field(gt=0, le=1)]

    def build(self, optimizer: torch.optim.Optimizer) -> torch.optim.lr_scheduler.ExponentialLR:
        return torch.optim.lr_scheduler.ExponentialLR(optimizer, self.gamma)


CONSTANT = ExponentialDecay(gamma=1)
