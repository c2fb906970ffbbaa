"""Filling gaps in pixel series: pure functions of frames `(T, C, H, W)` and a mask `(T, 1, H, W)` of what is clear.

At least one step of each pixel must be clear; `clear_steps` makes sure of it.
"""

import torch
from torch import Tensor


def clear_steps(opacity: Tensor, limit: float) -> Tensor:
    """Say which values can be trusted.

    Args:
        opacity: `(T, 1, H, W)`, 0 to 1.
        limit: opacity up to which a value is clear.

    Returns:
        Booleans of the same shape. Of a pixel that is never clear, the steps of least opacity count as clear.
    """
    return opacity <= opacity.amin(dim=0).clamp_min(limit)


def closest_clear(frames: Tensor, clear: Tensor) -> Tensor:
    """Take each pixel's clear value closest in time, the earlier of two.

    Args:
        frames: `(T, C, H, W)`.
        clear: `(T, 1, H, W)`.

    Returns:
        `(T, C, H, W)`.
    """
    before, after = _neighbours(clear)
    step = _steps(frames)
    return _at(frames, torch.where(step - before <= after - step, before, after))


def interpolate(frames: Tensor, clear: Tensor) -> Tensor:
    """Interpolate linearly in time between each pixel's clear values; before the first and after the last, keep them.

    Args:
        frames: `(T, C, H, W)`.
        clear: `(T, 1, H, W)`.

    Returns:
        `(T, C, H, W)`.
    """
    before, after = _neighbours(clear)
    weight = (_steps(frames) - before) / (after - before).clamp_min(1)
    return torch.lerp(_at(frames, before), _at(frames, after), weight.to(frames.dtype))


def clear_mean(frames: Tensor, clear: Tensor) -> Tensor:
    """Take the mean of each pixel's clear values, at all steps.

    Args:
        frames: `(T, C, H, W)`.
        clear: `(T, 1, H, W)`.

    Returns:
        `(T, C, H, W)`.
    """
    mean = torch.where(clear, frames, 0).sum(dim=0) / clear.sum(dim=0)
    return mean.expand_as(frames)


def least_cloudy(frames: Tensor, opacity: Tensor) -> Tensor:
    """Take the frame of least mean opacity, the earliest of several, at all steps.

    Args:
        frames: `(T, C, H, W)`.
        opacity: `(T, 1, H, W)`.

    Returns:
        `(T, C, H, W)`.
    """
    return frames[opacity.mean(dim=(1, 2, 3)).argmin()].expand_as(frames)


def _steps(frames: Tensor) -> Tensor:
    return torch.arange(len(frames), device=frames.device).reshape(-1, 1, 1, 1)  # (T, 1, 1, 1)


def _neighbours(clear: Tensor) -> tuple[Tensor, Tensor]:
    """Last clear step up to each step and first one from it on; each stands in for the other where there is none."""
    steps, horizon = _steps(clear), len(clear)
    before = torch.where(clear, steps, -1).cummax(dim=0).values
    after = torch.where(clear, steps, horizon).flip(0).cummin(dim=0).values.flip(0)
    return torch.where(before < 0, after, before), torch.where(after == horizon, before, after)


def _at(frames: Tensor, steps: Tensor) -> Tensor:
    """Values of each pixel at steps `(T, 1, H, W)`."""
    return frames.gather(0, steps.expand_as(frames))
