"""The network that sees whole series: what each step is made of, against formulas and PyTorch's own modules."""

import math
from itertools import pairwise
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import Tensor, nn
from torch.nn import functional

from src.rsgan.models.temporal_unet import Attention, Pooling, TemporalUNet, TemporalUNetConfig

BATCH, HORIZON, BANDS, MADE, SIDE = 2, 5, 3, 2, 12
IN_TIME = ["none", "pooling", "attention", "both"]
EXISTS = torch.tensor([[True, True, True, True, True], [True, True, False, True, False]])


def config(**changes: Any) -> TemporalUNetConfig:
    content = {"name": "temporal_unet", "input_size": [BANDS, SIDE, SIDE], "out_channels": MADE, "heads": 2}
    return TemporalUNetConfig.model_validate(content | {"widths": [8, 12], "in_time": ["both", "both"]} | changes)


def rng(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@torch.no_grad()
def drawn(module: nn.Module, seed: int = 0) -> Any:
    """A module whose weights have all moved from where they begin, which may be at zero."""
    for parameter in module.parameters():
        parameter += torch.randn(parameter.shape, generator=rng(seed)) / 10
    return module


def network(**changes: Any) -> TemporalUNet:
    torch.manual_seed(0)
    return drawn(config(**changes).build())


def series(height: int = SIDE, width: int = SIDE, *, horizon: int = HORIZON) -> tuple[Tensor, Tensor]:
    """Frames, and times in no step with each other."""
    frames = torch.randn(BATCH, horizon, BANDS, height, width, generator=rng(1))
    return frames, torch.rand(BATCH, horizon, generator=rng(2)).cumsum(dim=1) * 3


@torch.no_grad()
@pytest.mark.parametrize("in_time", IN_TIME)
def test_padding_changes_nothing(in_time: str) -> None:
    """Whatever it holds."""
    module = network(in_time=[in_time] * 2)
    frames, times = series()
    made = module(frames, times, EXISTS)
    longer, later = (torch.cat([part, torch.rand_like(part[:, :2]) * 9], dim=1) for part in (frames, times))
    exists = torch.cat([EXISTS, torch.zeros(BATCH, 2, dtype=torch.bool)], dim=1)
    torch.testing.assert_close(module(longer, later, exists)[:, :HORIZON][EXISTS], made[EXISTS])
    alone = module(frames[1:, EXISTS[1]], times[1:, EXISTS[1]], torch.ones(1, 3, dtype=torch.bool))
    torch.testing.assert_close(alone[0], made[1, EXISTS[1]])


@torch.no_grad()
def test_series_of_a_batch_do_not_meet() -> None:
    module, (frames, times) = network(), series()
    made = module(frames, times, EXISTS)
    torch.testing.assert_close(module(frames.flip(0), times.flip(0), EXISTS.flip(0)), made.flip(0))


@torch.no_grad()
def test_steps_have_no_order_but_that_of_their_times() -> None:
    module, (frames, times) = network(), series()
    made = module(frames, times, EXISTS)
    order = torch.tensor([3, 0, 4, 1, 2])
    torch.testing.assert_close(module(frames[:, order], times[:, order], EXISTS[:, order]), made[:, order])


NETWORK = network(widths=[8, 12, 16], in_time=["pooling", "none", "both"])


@torch.no_grad()
@settings(max_examples=20)
@given(height=st.integers(1, 21), width=st.integers(1, 21))
def test_any_height_and_width(height: int, width: int) -> None:
    """Frames are continued beyond their sides, by the pixels at the sides."""
    frames, times = series(height, width)
    made = NETWORK(frames, times, EXISTS)
    assert made.shape == (BATCH, HORIZON, MADE, height, width)
    last = [(torch.arange(-(-side // 8) * 8)).clamp_max(side - 1) for side in (height, width)]
    larger = frames[..., last[0][:, None], last[1]]
    torch.testing.assert_close(NETWORK(larger, times, EXISTS)[..., :height, :width], made)


@pytest.mark.parametrize("in_time", IN_TIME)
def test_a_clear_step_of_a_pixel_informs_the_hidden_ones(in_time: str) -> None:
    """All steps that exist, the same pixel's, and only them."""
    module = network(in_time=[in_time, "none"])
    frames, times = series()
    frames.requires_grad_()
    module(frames, times, EXISTS)[1, 0, :, 5, 7].sum().backward()
    felt = frames.grad[:, :, :, 5, 7].abs().amax(dim=2) > 1e-7
    others = torch.zeros(HORIZON, dtype=torch.bool) if in_time == "none" else EXISTS[1]
    assert felt[1].tolist() == [True, *others[1:].tolist()]
    assert not frames.grad[0].any()


def test_a_step_is_informed_at_every_level() -> None:
    """What mixes over time at the coarsest level alone reaches pixels all the same."""
    module, (frames, times) = network(in_time=["none", "both"]), series()
    frames.requires_grad_()
    module(frames, times, EXISTS)[0, 0, :, 5, 7].sum().backward()
    assert (frames.grad[0, :, :, 5, 7].abs().amax(dim=1) > 0).all()


WIDTH, HEADS, PIXELS = 8, 4, (2, 3)


def features() -> Tensor:
    return torch.randn(BATCH * HORIZON, WIDTH, *PIXELS, generator=rng(3))


def test_pooling_is_a_softmax_over_time() -> None:
    torch.manual_seed(1)
    module, given_, (_, times) = drawn(Pooling(WIDTH, HEADS)), features(), series()
    given_.requires_grad_()
    made = module(given_, times, EXISTS)
    normal = functional.layer_norm(given_.movedim(1, -1), (WIDTH,), module.before.weight, module.before.bias)
    normal = normal.movedim(-1, 1)
    scores = module.score(normal).unflatten(0, (BATCH, HORIZON)).movedim(2, 1)  # (B, heads, T, H, W)
    values = module.value(normal).unflatten(0, (BATCH, HORIZON)).unflatten(2, (HEADS, -1))  # (B, T, heads, c, H, W)
    apart = (times[:, :, None] - times[:, None]).abs()
    logits = scores[:, :, None] - module.decay.abs()[:, None, None, None, None] * apart[:, None, :, :, None, None]
    logits = logits.masked_fill(~EXISTS[:, None, None, :, None, None], -math.inf)
    means = torch.einsum("bntshw,bsnchw->btnchw", logits.softmax(dim=3), values)
    expected = given_ + module.out(means.flatten(2, 3).flatten(0, 1))
    torch.testing.assert_close(made, expected, atol=1e-4, rtol=1e-3)
    weight = torch.randn(made.shape, generator=rng(4))
    parameters = [given_, *module.parameters()]
    gradients = [torch.autograd.grad((result * weight).sum(), parameters) for result in (made, expected)]
    for found, wanted in zip(*gradients, strict=True):
        torch.testing.assert_close(found, wanted, atol=2e-3, rtol=2e-3)


@torch.no_grad()
def test_pooling_knows_differences_of_times_only() -> None:
    module, (_, times) = drawn(Pooling(WIDTH, HEADS)), series()
    torch.testing.assert_close(module(features(), times + 100, EXISTS), module(features(), times, EXISTS))


@torch.no_grad()
def test_pooling_bears_any_scores() -> None:
    """Those of the network's first steps, of half precision and of training that goes astray."""
    module, (_, times) = Pooling(WIDTH, HEADS), series()
    for scale in (0, 1e3, 1e6):
        given_ = features() * scale
        made = module(given_, times * 100, EXISTS)
        assert made.isfinite().all()
        assert (made - given_).abs().max() <= 10 * scale + 1


@torch.no_grad()
def test_attention_is_pytorchs() -> None:
    torch.manual_seed(1)
    module, given_, (_, times) = drawn(Attention(WIDTH, HEADS)), features(), series()
    other = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
    other.load_state_dict(
        {
            "in_proj_weight": module.queries.weight,
            "in_proj_bias": module.queries.bias,
            "out_proj.weight": module.out.weight,
            "out_proj.bias": module.out.bias,
        }
    )
    frequencies = torch.tensor([1000 ** (-2 * number / WIDTH) for number in range(WIDTH // 2)])
    angles = times[..., None] * frequencies
    positions = torch.cat([angles.sin(), angles.cos()], dim=-1)
    given_ = given_.unflatten(0, (BATCH, HORIZON))
    made = module(given_.flatten(0, 1), times, EXISTS).unflatten(0, (BATCH, HORIZON))
    for row in range(PIXELS[0]):
        for column in range(PIXELS[1]):
            pixel = given_[..., row, column]  # (B, T, C)
            normal = module.before(pixel) + positions
            pixel = pixel + other(normal, normal, normal, key_padding_mask=~EXISTS, need_weights=False)[0]
            pixel = pixel + module.perceptron(module.between(pixel))
            torch.testing.assert_close(made[..., row, column], pixel)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"widths": [8], "in_time": ["pooling"]},
        {"widths": [4, 8, 16], "in_time": ["none", "attention", "both"], "blocks": 3, "unshuffle": 1},
        {"widths": [24, 48], "heads": 4, "unshuffle": 3, "input_size": [7, 5, 9], "out_channels": 5},
    ],
)
def test_sizes_by_arithmetic_are_sizes_in_fact(changes: dict[str, Any]) -> None:
    found = config(**changes)
    module = found.build()
    assert found.parameters == sum(parameter.numel() for parameter in module.parameters())
    frames, times = torch.zeros(1, 2, *found.input_size), torch.arange(2.0)[None]
    assert module(frames, times, torch.ones(1, 2, dtype=torch.bool)).shape[2:] == found.output_size


def test_every_parameter_learns() -> None:
    module, (frames, times) = network(), series()
    module(frames, times, EXISTS)[EXISTS].square().mean().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in module.parameters())


@torch.no_grad()
def test_it_begins_with_nothing_of_its_own() -> None:
    frames, times = series()
    assert not config().build()(frames, times, EXISTS).any()


@torch.no_grad()
def test_half_precision_is_nearly_the_same() -> None:
    module, (frames, times) = network(), series()
    made = module(frames, times, EXISTS)[EXISTS]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = module(frames, times, EXISTS)[EXISTS]
    assert (half.float() - made).abs().max() < 0.05 * made.abs().max()


def test_a_wider_network_takes_more() -> None:
    sizes = [config(widths=[width, width]) for width in (8, 16, 32)]
    assert all(one.parameters < two.parameters and one.values < two.values for one, two in pairwise(sizes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"in_time": ["both"]}, "in_time: found 1 entries, expected 2, as of widths"),
        ({"widths": [8, 10]}, "widths: found 10, expected a multiple of 4, twice the heads"),
        ({"heads": 8}, "widths: found 8, expected a multiple of 16, twice the heads"),
        ({"in_time": ["both", "mean"]}, "'none', 'pooling', 'attention' or 'both'"),
        ({"widths": []}, "widths"),
    ],
)
def test_mistakes(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        config(**changes)
