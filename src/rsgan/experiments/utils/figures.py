"""Figures gathered over an epoch, without waiting for the device in any step."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torchmetrics import Metric


class Means(Metric):
    """Means of named figures over an epoch, weighted by the number of frames, and over processes.

    Args:
        names: what is gathered.
    """

    full_state_update = False

    def __init__(self, *names: str) -> None:
        super().__init__()
        self.names = names
        self.add_state("total", torch.zeros(len(names), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("weight", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, figures: Mapping[str, Tensor], weight: int) -> None:
        """Add a batch.

        Args:
            figures: a scalar for each name.
            weight: frames in the batch.

        Raises:
            KeyError: If a name is missing.
        """
        self.total += torch.stack([figures[name].detach().double() for name in self.names]) * weight
        self.weight += weight

    def compute(self) -> dict[str, Tensor]:
        """Take the means.

        Returns:
            The mean by name; NaN before any batch.
        """
        return dict(zip(self.names, (self.total / self.weight).float().unbind(), strict=True))


def judgement(real: Tensor, fake: Tensor, suffix: str = "") -> dict[str, Tensor]:
    """Say how a discriminator did on as many real as generated patches; a positive logit means "real".

    Args:
        real: logits of real images.
        fake: logits of generated images, the same shape.
        suffix: of the names.

    Returns:
        `fooling_rate`: share of generated patches taken for real; `recall`: share of real patches taken for real.
    """
    return {
        f"fooling_rate{suffix}": (fake > 0).float().mean(),
        f"recall{suffix}": (real > 0).float().mean(),
    }


def precision(recall: Tensor, fooling_rate: Tensor) -> Tensor:
    """Share of the patches taken for real that are, where real and generated ones are as many.

    Args:
        recall: share of real patches taken for real.
        fooling_rate: share of generated patches taken for real.

    Returns:
        `recall / (recall + fooling_rate)`; 0 where nothing is taken for real.
    """
    return recall / (recall + fooling_rate).clamp_min(torch.finfo(recall.dtype).tiny)
