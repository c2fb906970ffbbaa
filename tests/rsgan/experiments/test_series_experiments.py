"""Experiments on whole series: what they learn, what they learn from, and what they make of a series of any size."""

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from src.rsgan.building import build_experiment
from src.rsgan.data.store import Batch
from src.rsgan.devices import HARMLESS
from src.rsgan.experiments import Generated
from src.rsgan.experiments.experiment import Experiment
from src.rsgan.experiments.utils.flow import SCALES, bridge, draw_noise, follow
from src.rsgan.experiments.utils.losses import mean_absolute_error
from src.rsgan.experiments.utils.series import in_tiles
from src.rsgan.learner import Learner
from tests.rsgan.conftest import CONFIGS, FLOW, SEQUENCE, SIDE, frames_of, same
from tests.rsgan.experiments.test_learning import hidden_frames, smooth
from tests.rsgan.experiments.test_steps import Small, descents_of_one_side_each, learner_of, run

pytestmark = [pytest.mark.filterwarnings(f"ignore:{message}") for message in HARMLESS]
SAR_SEQUENCE, SAR_FLOW = (CONFIGS / f"sar_to_optical/{name}_toy.yaml" for name in ("sequence", "flow"))
DISCRIMINATOR = {"name": "patchgan", "n_filters": [4, 1], "conv_kwargs": [{"bn": False}, {"bn": False, "relu": False}]}
ADVERSARIAL = {
    "experiment__adversarial_weight": 0.5,
    "model__discriminator": DISCRIMINATOR,
    "optimizer__discriminator": {"lr": 0.001},
}
UNCERTAIN = {"experiment__variance_weight": 1}
EACH = [(SEQUENCE, ADVERSARIAL | UNCERTAIN), (SAR_SEQUENCE, {}), (FLOW, {}), (SAR_FLOW, {})]


def series(seed: int = 0, *, number: int = 2, horizon: int = 4, bands: int = 6, side: int = SIDE) -> Batch:
    """Series of noise, the last of which lacks its last step."""
    rng = torch.Generator().manual_seed(seed)
    source, target = (torch.randn(number, horizon, many, side, side, generator=rng) for many in (bands, 3))
    exists = torch.ones(number, horizon, dtype=torch.bool)
    exists[-1, horizon - 1 :] = horizon == 1
    return Batch(source=source, target=target, times=torch.arange(horizon).float().repeat(number, 1), exists=exists)


def complete(sources: Tensor, targets: Tensor) -> Batch:
    """Series `(B, T, C, H, W)` of which every step exists."""
    times = torch.arange(float(sources.shape[1])).repeat(len(sources), 1)
    return Batch(source=sources, target=targets, times=times, exists=torch.ones_like(times, dtype=torch.bool))


def one(batch: Batch, number: int = 0) -> Batch:
    """A series as testing gives it."""
    return Batch(**{name: values[number] for name, values in batch.items()})


def bands_of(file: Path) -> int:
    return 3 if file in (SAR_SEQUENCE, SAR_FLOW) else 6


@torch.no_grad()
def moved(experiment: Experiment) -> Experiment:
    """An experiment in testing, whose weights have left where they begin, which may be at zero."""
    torch.manual_seed(5)
    for parameter in experiment.parameters():
        parameter += torch.randn_like(parameter) / 10
    return experiment.eval()


# -- what is learnt


def build(small: Small, file: Path, *, in_time: tuple[str, str] = ("pooling", "both"), **changes: Any) -> Learner:
    """An experiment large enough to learn something, and quick to do so."""
    network = {"name": "temporal_unet", "widths": [16, 32], "heads": 4, "in_time": [*in_time]}
    rates = {"model__generator": network, "optimizer__generator__lr": 3e-3}
    return learner_of(small(file, **(rates | changes)))


@torch.no_grad()
def error(experiment: Experiment, batch: Batch, stage: str = "Generated", steps: slice = slice(None)) -> float:
    """Mean absolute error of some steps of all series."""
    experiment.eval()
    errors = [
        mean_absolute_error(experiment.stages(one(batch, number))[stage][steps], batch["target"][number, steps])
        for number in range(len(batch["target"]))
    ]
    experiment.train()
    return float(torch.stack(errors).mean())


@pytest.mark.parametrize(("file", "level"), [(SEQUENCE, 0.1), (SAR_FLOW, 0.15)])
def test_a_handful_of_series_is_learnt(file: Path, level: float, small: Small) -> None:
    """Images that have nothing to do with their source can only be learnt by heart; the error is 0.5 at first."""
    learner = build(small, file)
    sources, targets = (smooth(6, bands, seed).unflatten(0, (2, 3)) for bands, seed in ((bands_of(file), 0), (3, 9)))
    batch = complete(sources, targets)
    stages = ["Estimate", "Generated"] if file == SAR_FLOW else ["Generated"]
    assert error(learner.experiment, batch, stages[0]) > 0.35
    run(learner, [batch] * 10, epochs=15)
    for stage in stages:
        assert error(learner.experiment, batch, stage) < level


def hidden_series(seed: int) -> Batch:
    """Still scenes, of which one frame is clouded and its radar image empty."""
    steps = hidden_frames(seed)
    return complete(*(torch.stack([step[kind] for step in steps], dim=1) for kind in ("source", "target")))


def test_other_steps_show_what_a_cloud_hides(small: Small) -> None:
    training, hidden = [hidden_series(seed) for seed in range(12)], slice(-1, None)
    errors = {}
    for in_time in ("none", "pooling", "attention"):
        learner = build(small, SEQUENCE, in_time=(in_time, in_time))
        run(learner, training, epochs=4)
        errors[in_time] = error(learner.experiment, hidden_series(99), steps=hidden)
    assert errors["none"] > 0.3
    assert max(errors["pooling"], errors["attention"]) < 0.5 * errors["none"]


def test_standard_deviations_are_those_of_the_data(small: Small) -> None:
    """A source band says where the noise of the target is small and where it is large."""
    deviations, where = [0.1, 0.4], torch.arange(SIDE) * 2 // SIDE

    def noisy(seed: int) -> Batch:
        torch.manual_seed(seed)
        source = torch.rand(2, 3, 6, SIDE, SIDE) * 2 - 1
        source[:, :, 3] = where * 2.0 - 1
        return complete(source, source[:, :, :3] + torch.tensor(deviations)[where] * torch.randn(2, 3, 3, SIDE, SIDE))

    learner = build(small, SEQUENCE, in_time=("none", "none"), **UNCERTAIN)
    run(learner, [noisy(seed) for seed in range(40)], epochs=5)
    batch = noisy(99)
    with torch.no_grad():
        made = learner.experiment.eval().translate(one(batch))
    for half, expected in enumerate(deviations):
        assert made.std[..., where == half].mean().item() == pytest.approx(expected, rel=0.2)
    assert (made.frames - batch["source"][0, :, :3]).abs().mean() < 0.1


# -- what is learnt from what


def gradients(experiment: Experiment, batch: Batch) -> dict[str, Tensor]:
    """Of each optimiser's loss, for the parameters that it moves."""
    found: dict[str, Tensor] = {}

    def descend(name: str, loss: Tensor) -> None:
        parameters = {key: value for key, value in experiment.named_parameters() if key.startswith(name)}
        gradient = torch.autograd.grad(loss, parameters.values(), retain_graph=True)
        found.update(zip(parameters, gradient, strict=True))

    torch.manual_seed(7)
    experiment.step(batch, descend)
    return found


@pytest.mark.parametrize(("file", "changes"), EACH)
def test_a_step_of_one_side_leaves_the_other_untouched(file: Path, changes: dict[str, Any], small: Small) -> None:
    learner = learner_of(small(file, **changes))
    moved(learner.experiment).train()
    descents = descents_of_one_side_each(learner, [series(seed, bands=bands_of(file)) for seed in range(2)])
    assert sorted(descents) == sorted([*learner.config.experiment.optimizers] * 2)


@pytest.mark.parametrize(("file", "changes"), EACH)
def test_steps_that_do_not_exist_are_of_no_account(file: Path, changes: dict[str, Any], small: Small) -> None:
    experiment = moved(build_experiment(small(file, **changes), 0))
    batch = series(bands=bands_of(file))
    other = Batch(**{name: values.clone() for name, values in batch.items()})
    for name in ("source", "target", "times"):
        other[name][~batch["exists"]] = 0
    found = []
    for sample in (batch, other):
        torch.manual_seed(7)
        figures = experiment.step(sample)
        assert figures.keys() == experiment.figures.keys()
        found.append((figures, gradients(experiment, sample)))
    for one_, two in zip(*found, strict=True):
        for name, value in one_.items():
            torch.testing.assert_close(value, two[name], msg=name)


def test_what_a_sequence_minimises(small: Small) -> None:
    changes = {"experiment__variance_weight": 0.7, "experiment__smooth_l1_beta": 0.3}
    experiment = moved(build_experiment(small(SEQUENCE, **(ADVERSARIAL | changes)), 0))
    batch, found = series(), {}
    with torch.no_grad():
        figures = experiment.step(batch, found.__setitem__)
        exists = batch["exists"]
        made = experiment.generator(batch["source"], batch["times"], exists)[exists]
    source, target = batch["source"][exists], batch["target"][exists]
    mean = made[:, :3] + made[:, 3:6].sigmoid() * source[:, :3]
    fidelity = functional.smooth_l1_loss(mean, target, beta=0.3)
    deviation = (made[:, 6:] / 2).exp()
    # PyTorch's own distribution, which counts a constant more.
    normal = torch.distributions.Normal(mean, deviation).log_prob(target).mean() + torch.tensor(2 * torch.pi).log() / 2
    fake, real = (experiment.discriminator(torch.cat([images, source], dim=1)) for images in (mean, target))
    loss = fidelity - 0.7 * normal
    torch.testing.assert_close(figures["generator"], loss)
    torch.testing.assert_close(found["generator"], loss - 0.5 * functional.logsigmoid(fake).mean())
    discriminator = -functional.logsigmoid(real).mean() - functional.logsigmoid(-fake).mean()
    torch.testing.assert_close(found["discriminator"], discriminator)
    torch.testing.assert_close(figures["mae"], (mean - target).abs().mean())


def test_means_learn_nothing_from_the_likelihood(small: Small) -> None:
    """Of the last layer, the weights of the mean and of what passes feel one loss, those of the variance the other."""
    last = []
    for weight in (1, 7):
        experiment = moved(build_experiment(small(SEQUENCE, experiment__variance_weight=weight), 0))
        last.append(gradients(experiment, series())["generator.last.weight"])
    values = 4 * 3  # pixels that one becomes, bands
    torch.testing.assert_close(last[0][: 2 * values], last[1][: 2 * values])
    torch.testing.assert_close(7 * last[0][2 * values :], last[1][2 * values :])
    assert last[0].abs().amin() > 0


def test_an_adversarial_term_is_a_weight(small: Small) -> None:
    """Gradients of the generator grow linearly with it; the discriminator's are its own."""
    found = []
    for weight in (0.5, 1, 2):
        changes = ADVERSARIAL | {"experiment__adversarial_weight": weight}
        found.append(gradients(moved(build_experiment(small(SEQUENCE, **changes), 0)), series()))
    for name, half in found[0].items():
        whole, double = found[1][name], found[2][name]
        if name.startswith("generator"):
            torch.testing.assert_close(double - whole, 2 * (whole - half), atol=1e-5, rtol=1e-3)
            assert not torch.equal(whole, half)
        else:
            assert torch.equal(half, double)


def test_the_way_of_a_flow_moves_its_estimate_nowhere(small: Small) -> None:
    """The estimate is told of nothing but the source, and learns from its own error alone."""
    found = [
        experiment.step(series())["estimate"]
        for weight in (1, 9)
        for experiment in [moved(build_experiment(small(FLOW, experiment__flow_weight=weight), 0))]
    ]
    assert torch.equal(*found)
    losses = []
    experiment = moved(build_experiment(small(FLOW, experiment__flow_weight=3), 0))
    figures = experiment.step(series(), lambda _name, loss: losses.append(loss))
    torch.testing.assert_close(losses, [figures["estimate"] + 3 * figures["generator"]])


@pytest.mark.parametrize(("file", "changes"), EACH)
def test_what_may_be_monitored_is_logged(file: Path, changes: dict[str, Any], small: Small) -> None:
    learner = learner_of(small(file, **changes))
    batch = series(bands=bands_of(file))
    logged = set(run(learner, [batch], [batch]).callback_metrics)
    assert set(learner.config.experiment.monitors) <= logged
    assert {"Loss/train_generator", "Metric/val_mae"} <= logged


# -- what is made


@torch.no_grad()
@pytest.mark.parametrize(("file", "changes"), EACH)
def test_what_is_made_of_a_series_is_the_same_again(file: Path, changes: dict[str, Any], small: Small) -> None:
    """Whatever was made before, and whatever was drawn."""
    experiment = moved(build_experiment(small(file, **changes), 0))
    batch = series(bands=bands_of(file), side=11)
    first = experiment.translate(one(batch))
    torch.manual_seed(99)
    experiment.translate(one(batch, 1))
    again = experiment.translate(one(batch))
    made, same_made = (vars(found) if isinstance(found, Generated) else {"": found} for found in (first, again))
    assert same(made, same_made)
    assert frames_of(first).shape == (4, 3, 11, 11)
    assert not torch.equal(frames_of(first), frames_of(experiment.translate(one(batch, 1))))
    if isinstance(first, Generated):
        assert all(values.isfinite().all() for values in vars(first).values() if values is not None)
        assert first.std is None or (first.std > 0).all()


@torch.no_grad()
def test_samples_differ_and_their_mean_is_the_image(small: Small) -> None:
    batch = one(series())
    made = moved(build_experiment(small(FLOW, experiment__samples=3), 0)).translate(batch)
    assert made.samples.shape == (3, 4, 3, SIDE, SIDE)
    torch.testing.assert_close(made.samples.mean(dim=0), made.frames)
    assert not torch.allclose(made.samples[0], made.samples[1], atol=0.01)
    more = moved(build_experiment(small(FLOW, experiment__samples=5), 0)).translate(batch)
    assert torch.equal(more.samples[:3], made.samples)
    seeded = moved(build_experiment(small(FLOW, experiment__samples=3, experiment__seed=1), 0)).translate(batch)
    assert not torch.allclose(seeded.samples, made.samples, atol=0.01)


@torch.no_grad()
@pytest.mark.parametrize(("file", "changes"), EACH)
def test_pictures(file: Path, changes: dict[str, Any], small: Small) -> None:
    experiment = moved(build_experiment(small(file, **changes), 0))
    batch = series(bands=bands_of(file))
    shown = experiment.pictures([one(batch, 0), one(batch, 1)], 2)
    stages = ["Estimate", "Generated"] if file in (FLOW, SAR_FLOW) else ["Generated"]
    assert [*shown] == ["Source", *stages, "Target"]
    assert all(images.shape[::2] == (2, SIDE) for images in shown.values())
    assert torch.equal(shown["Target"], batch["target"][:, 2])
    made = experiment.stages(one(batch, 1))
    assert all(torch.equal(shown[stage][1], made[stage][2]) for stage in stages)


@pytest.mark.parametrize(("file", "changes"), EACH)
def test_one_time_step_and_few_pixels_are_enough(file: Path, changes: dict[str, Any], small: Small) -> None:
    learner = learner_of(small(file, side=8, **changes))
    batch = series(bands=bands_of(file), horizon=1, side=8)
    run(learner, [batch])
    with torch.no_grad():
        assert frames_of(learner.experiment.eval().translate(one(batch))).shape == (1, 3, 8, 8)


# -- tiles


@st.composite
def tilings(draw: st.DrawFn) -> tuple[int, int, int, int]:
    """Height and width of a frame, a tile's side and margin."""
    tile = draw(st.integers(1, 12))
    return draw(st.integers(1, 40)), draw(st.integers(1, 40)), tile, draw(st.integers(0, (tile - 1) // 2))


@given(tilings())
def test_tiles_of_what_works_on_pixels(numbers: tuple[int, int, int, int]) -> None:
    height, width, tile, margin = numbers
    frames, seen = torch.arange(2.0 * height * width).reshape(2, 1, height, width), []

    def run_(part: Tensor) -> Tensor:
        seen.append(part.shape[-2:])
        return part.square().repeat(1, 3, 1, 1)

    made = in_tiles(run_, frames, tile=tile, margin=margin)
    assert torch.equal(made, frames.square().repeat(1, 3, 1, 1))
    assert all(max(sides) <= tile for sides in seen)
    fitting = height <= tile and width <= tile
    assert len(seen) == 1 or not fitting


@given(tilings())
def test_tiles_of_what_sees_as_far_as_their_margin(numbers: tuple[int, int, int, int]) -> None:
    height, width, tile, margin = numbers
    frames = torch.randn(1, 1, height, width, generator=torch.Generator().manual_seed(1))
    blur = nn.AvgPool2d(2 * margin + 1, stride=1, padding=margin)
    made = in_tiles(blur, frames, tile=tile, margin=margin)
    torch.testing.assert_close(made, blur(frames))


def test_tiles_advance(small: Small) -> None:
    with pytest.raises(Exception, match="margin: found 8, expected less than half of tile, 16"):
        small(SEQUENCE, experiment__tile=16, experiment__margin=8)
    experiment = moved(build_experiment(small(SEQUENCE, experiment__tile=16, experiment__margin=4), 0))
    shapes: list[tuple[int, ...]] = []
    experiment.generator.register_forward_hook(lambda _, given_, __: shapes.append(tuple(given_[0].shape[-2:])))
    with torch.no_grad():
        assert experiment.translate(one(series(side=21))).shape == (4, 3, 21, 21)
    assert shapes == [(16, 16)] * 4


# -- the way of a flow

VALUES, INSIDE = st.floats(-3, 3, width=32), st.floats(0.01, 0.99)


@given(st.lists(VALUES, min_size=3, max_size=3), INSIDE, INSIDE)
def test_who_sees_the_end_stays_on_the_bridge(values: list[float], along: float, further: float) -> None:
    """With the same noise."""
    start, end, noise, here, there = (torch.tensor([value]) for value in (*values, along, further))
    place = bridge(start, end, here, noise)
    expected = (1 - further) * start + further * end + (further * (1 - further)) ** 0.5 * noise
    torch.testing.assert_close(follow(start, place, here, end, there), expected, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(follow(start, place, here, end, torch.ones(1)), end)


def test_each_series_of_a_batch_is_at_its_own_place() -> None:
    start, end = torch.zeros(3, 2, 1, 4, 4), torch.ones(3, 2, 1, 4, 4)
    noise = torch.randn(3, 2, 1, 4, 4)
    found = bridge(start, end, torch.tensor([0.0, 0.5, 1.0]), noise)
    torch.testing.assert_close(found, torch.stack([start[0], 0.5 + noise[1] / 2, end[2]]))


def test_noise_of_all_scales() -> None:
    """Each scale has an equal share of the variance; what lies in one of its cells has that share in common."""
    noise = draw_noise((600, 2, 3, 32, 32), torch.Generator().manual_seed(3))
    assert torch.equal(noise, draw_noise((600, 2, 3, 32, 32), torch.Generator().manual_seed(3)))
    here = noise[:, 0, :, 0, 0]
    pairs = {(0, 0, 0): 1, (0, 3, 3): 3 / 4, (0, 4, 0): 2 / 4, (0, 15, 15): 2 / 4, (0, 16, 0): 0, (1, 0, 0): 1 / 4}
    assert len(SCALES) == 4
    for (step, row, column), expected in pairs.items():
        found = (here * noise[:, step, :, row, column]).mean().item()
        assert found == pytest.approx(expected, abs=0.08)
    assert (noise[:, 0, 0] * noise[:, 0, 1]).mean().abs() < 0.05
    assert noise.mean().abs() < 0.05
    assert draw_noise((2, 1, 2, 5, 19)).shape == (2, 1, 2, 5, 19)


class Ideal(nn.Module):
    """What a network would learn where targets are normally distributed around their source: some bands widely.

    At τ, `E[target | place] = source + v / (τ v + s² (1 - τ)) (place - source)`, where s is `noise` times `sqrt(v)`.
    """

    def __init__(self, stds: Tensor, noise: float) -> None:
        super().__init__()
        self.stds, self.noise = stds[:, None, None], noise

    def forward(self, told: Tensor, times: Tensor, exists: Tensor) -> Tensor:
        source, along = told[:, :, :3], told[:, :, -1:].double()
        share_ = 1 / (along + self.noise**2 * (1 - along))
        change = torch.where(along == 0, source, 0)
        passing = share_.logit() + torch.log1p(-along)
        log_variance = 2 * self.stds.log()
        return torch.cat([change, *(part.expand_as(source) for part in (passing, log_variance))], dim=2).float()


@torch.no_grad()
def test_samples_of_an_ideal_network_are_nearly_those_of_the_posterior(small: Small) -> None:
    stds, noise = torch.tensor([0.01, 0.1, 0.5]), 1.7
    changes = {"samples": 200, "legs": 5, "noise": noise}
    config = small(SAR_FLOW, side=8, **{f"experiment__{name}": value for name, value in changes.items()})
    experiment = build_experiment(config, 0)
    experiment.generator = Ideal(stds, noise)
    batch = one(series(bands=3, horizon=2, side=8))
    made = experiment.translate(batch)
    assert torch.equal(experiment.stages(batch)["Estimate"], batch["source"])
    errors = (made.frames - batch["source"]).square().mean(dim=(0, 2, 3)).sqrt()
    assert (errors < 3 * stds / 200**0.5).all()
    found = (made.samples - batch["source"]).square().mean(dim=(0, 1, 3, 4)).sqrt()
    torch.testing.assert_close(found, stds, rtol=0.1, atol=0)
