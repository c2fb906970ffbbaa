"""How networks descend their losses."""

import math
from collections.abc import Iterable
from typing import Annotated, Self

import torch
from pydantic import Field, PositiveFloat, PositiveInt, model_validator
from torch import nn

from utils.registry import Configured

LOWEST = 0.01  # of a learning rate, where a cosine ends
Beta = Annotated[float, Field(ge=0, lt=1)]


class Adam(Configured):
    """An optimiser: Kingma & Ba (2015), https://arxiv.org/abs/1412.6980.

    Attributes:
        clip_norm: to which longer gradients, of all parameters together, are shortened (Pascanu et al. 2013,
            https://proceedings.mlr.press/v28/pascanu13.html).
    """

    lr: PositiveFloat
    betas: Annotated[tuple[Beta, Beta], Field(strict=False)] = (0.9, 0.999)
    eps: PositiveFloat = 1e-8
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    clip_norm: Annotated[PositiveFloat | None, Field(exclude_if=lambda norm: norm is None)] = None

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Adam:
        # Fused: one pass over the parameters instead of a dozen.
        return torch.optim.Adam(parameters, **self.model_dump(exclude={"clip_norm"}), fused=True)


class Schedule(Configured):
    """How a learning rate changes from epoch to epoch.

    Attributes:
        gamma: it is multiplied by after each epoch.
        cosine: instead, it falls to a hundredth along half a cosine in so many epochs, and stays there (Loshchilov &
            Hutter 2017, arXiv:1608.03983).
    """

    gamma: Annotated[float, Field(gt=0, le=1)] = 1
    cosine: Annotated[PositiveInt | None, Field(exclude_if=lambda epochs: epochs is None)] = None

    @model_validator(mode="after")
    def _one_or_the_other(self) -> Self:
        if self.cosine is not None and self.gamma != 1:
            raise ValueError(f"found gamma {self.gamma} beside cosine {self.cosine}, expected one of them")
        return self

    def build(self, optimizer: torch.optim.Optimizer) -> torch.optim.lr_scheduler.LRScheduler:
        if self.cosine is None:
            return torch.optim.lr_scheduler.ExponentialLR(optimizer, self.gamma)
        return torch.optim.lr_scheduler.LambdaLR(optimizer, self._share)

    def _share(self, epoch: int) -> float:
        done = min(epoch / self.cosine, 1)
        return LOWEST + (1 - LOWEST) * (1 + math.cos(math.pi * done)) / 2


CONSTANT = Schedule()
