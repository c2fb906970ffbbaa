"""Networks: sizes by arithmetic are sizes in fact, building changes nothing, mistakes name the sizes involved."""

import json
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from src.rsgan.models import NETWORKS, Network
from src.rsgan.models.layers import Layer
from tests.rsgan.conftest import CGAN
from utils.config import load

NETWORK = TypeAdapter(NETWORKS.choice)
UNET = {
    "name": "unet",
    "input_size": [3, 16, 16],
    "out_channels": 2,
    "enc_filters": [4, 8, 8],
    "dec_filters": [8, 4, 4],
}
PATCHGAN = {"name": "patchgan", "input_size": [5, 16, 16], "n_filters": [4, 1], "conv_kwargs": [{}, {"bn": False}]}
RESNET = {"name": "resnet", "input_size": [3, 16, 12], "out_channels": 2, "n_filters": [6, 6, 4]}
BOTTLENECK = RESNET | {"enc_filters": [4, 6], "dec_filters": [4, 4]}
SMALL = [UNET, UNET | {"name": "autoencoder"}, PATCHGAN, RESNET, BOTTLENECK]


def network(content: dict[str, Any]) -> Network:
    return NETWORK.validate_python(content)


def test_every_network_is_found() -> None:
    assert list(NETWORKS) == ["autoencoder", "patchgan", "resnet", "temporal_unet", "unet"]


@pytest.mark.parametrize(
    ("name", "channels", "parameters", "gflop"),
    [("generator", (6, 3), 155e6, 19.7), ("discriminator", (9, 1), 2.8e6, 6.5)],
)
def test_published_sizes(name: str, channels: tuple[int, int], parameters: float, gflop: float) -> None:
    config = network(load(CGAN)["model"][name]).sized((channels[0], 256, 256), channels[1])
    with torch.device("meta"):
        module = config.build()
        images = torch.empty(1, *config.input_size)
    with FlopCounterMode(display=False) as counter:
        made = module.eval()(images)
    assert made.shape[1:] == config.output_size
    assert config.parameters == pytest.approx(parameters, rel=0.02)
    assert counter.get_total_flops() == pytest.approx(gflop * 1e9, rel=0.01)


@pytest.mark.parametrize("content", SMALL)
def test_sizes_by_arithmetic_are_sizes_in_fact(content: dict[str, Any]) -> None:
    config = network(content)
    module = config.build()
    assert module(torch.zeros(2, *config.input_size)).shape == (2, *config.output_size)
    assert sum(p.numel() for p in module.parameters()) == config.parameters


LAYER = st.fixed_dictionaries(
    {},
    optional={
        "kernel_size": st.integers(1, 5),
        "stride": st.integers(1, 3),
        "padding": st.integers(0, 2),
        "dilation": st.integers(1, 2),
        "output_padding": st.integers(0, 2),
        "bn": st.booleans(),
        "relu": st.sampled_from([True, False, "learn"]),
        "leak": st.sampled_from([0, 0.2]),
        "bias": st.booleans(),
        "dropout": st.sampled_from([0, 0.5]),
    },
)


@given(
    name=st.sampled_from(["autoencoder", "unet"]),
    size=st.tuples(st.integers(1, 3), st.integers(4, 20), st.integers(4, 20)),
    down=st.lists(LAYER, min_size=1, max_size=3),
    up=st.lists(LAYER, min_size=1, max_size=4),
)
def test_any_layers_are_sized_or_refused(name: str, size: tuple[int, ...], down: list, up: list) -> None:
    content = {"name": name, "input_size": list(size), "out_channels": 2, "enc_kwargs": down, "dec_kwargs": up}
    content |= {"enc_filters": [2 + i for i in range(len(down))], "dec_filters": [3 + i for i in range(len(up))]}
    try:
        config = network(content)
    except ValidationError as error:
        known = ("leaves nothing", "skip connection", "has output_padding")
        assert any(words in str(error) for words in known)  # noqa: PT017
        return
    module = config.build().eval()
    assert module(torch.zeros(1, *config.input_size)).shape[1:] == config.output_size
    assert sum(p.numel() for p in module.parameters()) == config.parameters


@pytest.mark.parametrize("content", SMALL)
def test_building_changes_neither_configuration_nor_statistics(content: dict[str, Any]) -> None:
    before = json.dumps(content)
    config = network(content)
    dumped = config.model_dump_json()
    modules = [config.build(), config.build()]
    assert json.dumps(content) == before
    assert config.model_dump_json() == dumped
    for layer in (layer for module in modules for layer in module.modules() if isinstance(layer, nn.BatchNorm2d)):
        assert layer.num_batches_tracked == 0
        assert torch.equal(layer.running_mean, torch.zeros_like(layer.running_mean))
        assert torch.equal(layer.running_var, torch.ones_like(layer.running_var))


@pytest.mark.parametrize("content", SMALL)
def test_running_twice_alone_or_in_another_memory_layout_gives_the_same(content: dict[str, Any]) -> None:
    config = network(content)
    module = config.build().eval()
    images = torch.randn(3, *config.input_size, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        made = module(images)
        assert torch.equal(made, module(images))
        alone = torch.cat([module(image[None]) for image in images])
        torch.testing.assert_close(made, alone)
        last = module.to(memory_format=torch.channels_last)(images.to(memory_format=torch.channels_last))
        torch.testing.assert_close(made, last)


@pytest.mark.parametrize("content", SMALL)
def test_every_parameter_learns(content: dict[str, Any]) -> None:
    config = network(content)
    module = config.build()
    images = torch.randn(4, *config.input_size, generator=torch.Generator().manual_seed(1))
    module(images).square().mean().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in module.parameters() if p.numel() > 8)


def test_settings_for_all_layers_or_one_each() -> None:
    for_all = network(PATCHGAN | {"n_filters": [4, 4, 1], "conv_kwargs": {"stride": 1, "kernel_size": 3}})
    each = network(PATCHGAN | {"n_filters": [4, 4, 1], "conv_kwargs": [{"stride": 1, "kernel_size": 3}] * 3})
    assert for_all == each
    assert all(isinstance(layer, nn.Sequential) for layer in for_all.build())


@pytest.mark.parametrize(
    ("layer", "negative"),
    [
        *[({}, -0.25), ({"relu": "learn"}, -0.25), ({"relu": "learn", "leak": 0.1}, -0.25)],
        *[({"relu": True}, 0), ({"relu": True, "leak": 0.1}, -0.1)],
        *[({"relu": False}, -1), ({"relu": False, "leak": 0.1}, -1)],
    ],
)
def test_activations(layer: dict[str, Any], negative: float) -> None:
    """What becomes of -1 and 1; a PReLU starts with a slope of 0.25, and only `learn` has one that is learnt."""
    placed = Layer(kernel_size=1, stride=1, padding=0, bn=False, **layer).place((1, 1, 1), 1)
    module = placed.build()
    nn.init.ones_(module[0].weight)
    assert module(torch.tensor([-1.0, 1.0]).reshape(2, 1, 1, 1)).flatten().tolist() == pytest.approx([negative, 1])
    assert placed.parameters == sum(p.numel() for p in module.parameters()) == (3 if negative == -0.25 else 2)


def test_published_activations() -> None:
    """U-Net and autoencoder learn their slopes, PatchGAN leaks 0.2; so do published files that spell it out."""
    for content, kind, slope in ((UNET, nn.PReLU, 0.25), (PATCHGAN, nn.LeakyReLU, 0.2)):
        found = [layer for layer in network(content).build().modules() if "ReLU" in type(layer).__name__]
        assert found
        assert all(type(layer) is kind for layer in found)
        slopes = [layer.weight.item() if kind is nn.PReLU else layer.negative_slope for layer in found]
        assert slopes == [slope] * len(found)
    spelt_out = {"conv_kwargs": [{"relu": True, "leak": 0.2}, {"relu": True, "leak": 0.2, "bn": False}]}
    assert network(PATCHGAN | spelt_out) == network(PATCHGAN)
    assert network(UNET | {"enc_kwargs": {"relu": "learn"}}) == network(UNET)


@pytest.mark.parametrize("content", SMALL)
def test_sizes_that_are_left_out_are_those_of_the_data(content: dict[str, Any]) -> None:
    whole = network(content)
    open_ended = network({key: value for key, value in content.items() if key not in ("input_size", "out_channels")})
    assert open_ended.sized(whole.input_size, whole.output_size[0]) == whole
    assert whole.sized((9, 99, 99), 9) == whole
    with pytest.raises(ValueError, match="leaves nothing|skip connection"):
        open_ended.sized((3, 1, 2), 1) if content["name"] != "resnet" else network(
            BOTTLENECK | {"input_size": [3, 1, 2]}
        )


def test_the_fewest_pixels_that_are_normalised() -> None:
    assert network(UNET).fewest_normalised == 4
    assert network(UNET | {"enc_kwargs": {"bn": False}, "dec_kwargs": {"bn": False}}).fewest_normalised is None
    assert network(PATCHGAN).fewest_normalised == 64
    assert network(RESNET).fewest_normalised == 16 * 12


MISTAKES = [
    (UNET | {"input_size": [3, 20, 16]}, r"layer 1 makes 4x4, but the skip connection from layer 2 .* brings 5x4"),
    (UNET | {"input_size": [3, 4, 4]}, "enc_filters: layer 3 of 3 .* leaves nothing of its 1x1 input"),
    (UNET | {"enc_kwargs": [{}]}, "enc_kwargs: found 1 entries, expected 3, one for each of enc_filters"),
    (PATCHGAN | {"input_size": [5, 1, 1]}, "n_filters: layer 1 of 2 .* leaves nothing of its 1x1 input"),
    (RESNET | {"enc_kwargs": [{}]}, "enc_kwargs: found 1 entries, expected 0, one for each of enc_filters"),
    (
        UNET | {"dec_kwargs": {"output_padding": 2}},
        "dec_filters: layer 1 of 3 has output_padding 2, expected less than",
    ),
    (RESNET | {"conv_kwargs": {"kernel_size": 4}}, "block 1 turns 16x12 into 15x11; a residual block must leave"),
    (UNET | {"enc_kwargs": [{"dropot": 1}, {}, {}]}, "Extra inputs"),
]


@pytest.mark.parametrize(("content", "message"), MISTAKES)
def test_mistakes_name_the_sizes_involved(content: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        network(content)
