"""Losses of generators and discriminators, on logits."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional


def real_loss(logits: Tensor) -> Tensor:
    """Binary cross-entropy against "real": `mean(-log sigmoid(x))`.

    Args:
        logits: a discriminator's judgements, any shape.

    Returns:
        A scalar.
    """
    return functional.binary_cross_entropy_with_logits(logits, torch.ones_like(logits))


def fake_loss(logits: Tensor) -> Tensor:
    """Binary cross-entropy against "generated": `mean(-log(1 - sigmoid(x)))`.

    Args:
        logits: a discriminator's judgements, any shape.

    Returns:
        A scalar.
    """
    return functional.binary_cross_entropy_with_logits(logits, torch.zeros_like(logits))


def discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """What a discriminator minimises (Goodfellow et al. 2014, https://doi.org/10.1145/3422622).

    Args:
        real: logits of real images.
        fake: logits of generated images.

    Returns:
        A scalar.
    """
    return real_loss(real) + fake_loss(fake)


def smooth_l1(generated: Tensor, real: Tensor) -> Tensor:
    """Half the squared error below 1, the absolute error less a half above (Girshick 2015, 10.1109/ICCV.2015.169).

    Args:
        generated: images in network scale.
        real: images of the same shape.

    Returns:
        The mean over all values.
    """
    return functional.smooth_l1_loss(generated.float(), real)


@contextmanager
def frozen(*networks: nn.Module) -> Iterator[None]:
    """Let gradients pass through networks without collecting any for their parameters.

    Args:
        networks: those that are not to learn; all of their parameters learn otherwise.

    Yields:
        Nothing.
    """
    parameters = [parameter for network in networks for parameter in network.parameters()]
    for parameter in parameters:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in parameters:
            parameter.requires_grad_(True)
