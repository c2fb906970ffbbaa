"""Losses and figures of generators and discriminators: scalars, means over values or logits of any shape."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional


def judge(discriminator: nn.Module, images: Tensor, condition: Tensor) -> Tensor:
    """Ask a conditional discriminator whether images `(N, C, H, W)` are real: logits, positive for yes."""
    return discriminator(torch.cat([images, condition], dim=1))


def real_loss(logits: Tensor) -> Tensor:
    """Binary cross-entropy against "real": `-log sigmoid(x)`."""
    return functional.binary_cross_entropy_with_logits(logits, torch.ones_like(logits))


def fake_loss(logits: Tensor) -> Tensor:
    """Binary cross-entropy against "generated": `-log(1 - sigmoid(x))`."""
    return functional.binary_cross_entropy_with_logits(logits, torch.zeros_like(logits))


def discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """What a discriminator minimises (Goodfellow et al. 2014, https://doi.org/10.1145/3422622)."""
    return real_loss(real) + fake_loss(fake)


def smooth_l1(generated: Tensor, real: Tensor, beta: float = 1) -> Tensor:
    """Below beta, `e² / (2 beta)` of an error e; above, `e - beta / 2` (Girshick 2015, doi:10.1109/ICCV.2015.169)."""
    return functional.smooth_l1_loss(generated.float(), real, beta=beta)


def gaussian_nll(mean: Tensor, log_variance: Tensor, real: Tensor) -> Tensor:
    """Negative log likelihood of real values under normal distributions, up to a constant."""
    return ((real - mean).square() * (-log_variance).exp() + log_variance).mean() / 2


def mean_absolute_error(generated: Tensor, real: Tensor) -> Tensor:
    """Mean absolute error in network scale, without gradients."""
    return (generated.detach().float() - real).abs().mean()


def judgement(real: Tensor, fake: Tensor, suffix: str = "") -> dict[str, Tensor]:
    """Shares of generated patches and of as many real ones that a discriminator takes for real, from its logits."""
    return {f"fooling_rate{suffix}": (fake > 0).float().mean(), f"recall{suffix}": (real > 0).float().mean()}


def precision(recall: Tensor, fooling_rate: Tensor) -> Tensor:
    """Share of the patches taken for real that are, where real and generated ones are as many; 0 where none is."""
    return recall / (recall + fooling_rate).clamp_min(torch.finfo(recall.dtype).tiny)


def compete(
    discriminator: nn.Module,
    generated: Tensor,
    real: Tensor,
    condition: Tensor,
    objective: Callable[[Tensor], Tensor],
    descend: Callable[[str, Tensor], None],
) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """Let a discriminator learn, then a generator: it descends an objective of its adversarial loss.

    Returns:
        The losses of generator and discriminator, and the discriminator's `judgement`.
    """
    on_real = judge(discriminator, real, condition)
    on_fake = judge(discriminator, generated.detach(), condition)
    loss = discriminator_loss(on_real, on_fake)
    descend("discriminator", loss)
    with frozen(discriminator):
        adversarial = real_loss(judge(discriminator, generated, condition))
        descend("generator", objective(adversarial))
    return adversarial, loss, judgement(on_real, on_fake)


@contextmanager
def frozen(*networks: nn.Module) -> Iterator[None]:
    """Let gradients pass through networks without collecting any for their parameters, all of which learn otherwise."""
    parameters = [parameter for network in networks for parameter in network.parameters()]
    for parameter in parameters:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in parameters:
            parameter.requires_grad_(True)
