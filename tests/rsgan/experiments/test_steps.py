"""One training step: who learns from what, what is remembered, and what the losses are."""

from collections.abc import Callable
from itertools import combinations
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.nn import functional

from src.rsgan.building import build_experiment
from src.rsgan.configuration import ExperimentConfig
from src.rsgan.data.store import Batch
from src.rsgan.devices import HARMLESS
from src.rsgan.experiments.experiment import Experiment
from src.rsgan.learner import Learner
from tests.rsgan.conftest import BATCH, CGAN, CYCLE, HORIZON, RECURRENT, SIDE, UPPER_BOUND, same
from utils.errors import RunError
from utils.identity import Identity

Small = Callable[..., ExperimentConfig]
FILES = {"cgan": CGAN, "upper_bound": UPPER_BOUND, "recurrent": RECURRENT, "cycle": CYCLE}
pytestmark = [pytest.mark.filterwarnings(f"ignore:{message}") for message in HARMLESS]


def sample(number: int = 0, *, first: bool = True, bands: int = 6, size: int = BATCH) -> Batch:
    rng = torch.Generator().manual_seed(number)
    source = torch.randn(size, bands, SIDE, SIDE, generator=rng)
    return Batch(source=source, target=torch.randn(size, 3, SIDE, SIDE, generator=rng), first=first)


def samples_of(name: str, *, number: int = 3) -> list[Batch]:
    bands = 3 if name == "cycle" else 6
    return [sample(n, first=n == 0, bands=bands) for n in range(number)]


def run(learner: Learner, training: list[Batch], validation: list[Batch] = (), epochs: int = 1) -> pl.Trainer:
    """Train on given batches, without files."""
    trainer = pl.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        limit_val_batches=len(validation) or 0,
    )
    trainer.fit(learner, Batches(training), Batches(validation or training))
    return trainer


def learner_of(config: ExperimentConfig, seed: int = 0) -> Learner:
    return Learner(config, Identity({}, seed=seed))


class Batches(list):
    """Batches that Lightning takes for a loader."""

    sampler = batch_sampler = None


def snapshot(network: nn.Module) -> list[Tensor]:
    parameters = list(network.parameters())
    gradients = [torch.zeros(1) if p.grad is None else p.grad.clone() for p in parameters]
    return [p.detach().clone() for p in parameters] + gradients


@pytest.mark.parametrize("name", FILES)
def test_each_optimiser_has_its_own_parameters(name: str, small: Small) -> None:
    config = small(FILES[name])
    learner = learner_of(config)
    made = [entry["optimizer"] for entry in learner.configure_optimizers()]
    owned = [{id(p) for group in optimizer.param_groups for p in group["params"]} for optimizer in made]
    assert all(not one & other for one, other in combinations(owned, 2))
    assert set.union(*owned) == {id(parameter) for parameter in learner.parameters()}
    names = list(config.experiment.optimizers)
    for optimizer, optimizer_name in zip(made, names, strict=True):
        assert optimizer.param_groups[0]["lr"] == config.optimizer[optimizer_name].lr
        assert optimizer.param_groups[0]["betas"] == (0.5, 0.999)


@pytest.mark.parametrize("name", FILES)
def test_a_step_of_one_side_leaves_the_other_untouched(name: str, small: Small) -> None:
    learner = learner_of(small(FILES[name]))
    descents = descents_of_one_side_each(learner, samples_of(name, number=2))
    assert sorted(descents) == sorted([*learner.config.experiment.optimizers] * 2)


def descents_of_one_side_each(learner: Learner, batches: list[Batch]) -> list[str]:
    """Names of the optimisers that take a step, each of which leaves the networks of others as they are."""
    experiment, groups = learner.experiment, learner.config.experiment.optimizers
    original, descents = learner.descend, []

    def descend(optimizer: str, loss: Tensor) -> None:
        mine, others = groups[optimizer], [n for n in experiment.configured if n not in groups[optimizer]]
        before = {n: snapshot(experiment.get_submodule(n)) for n in (*mine, *others)}
        original(optimizer, loss)
        after = {n: snapshot(experiment.get_submodule(n)) for n in (*mine, *others)}
        assert all(same(before[n], after[n]) for n in others), optimizer
        assert not any(same(before[n], after[n]) for n in mine), optimizer
        descents.append(optimizer)

    learner.descend = descend
    run(learner, batches)
    return descents


@pytest.mark.parametrize("name", FILES)
def test_one_pass_of_each_generator_serves_a_step(name: str, small: Small) -> None:
    learner = learner_of(small(FILES[name]))
    experiment, calls = learner.experiment, dict[str, int]()
    for network in experiment.configured:
        calls[network] = 0
        experiment.get_submodule(network).register_forward_hook(
            lambda *_, network=network: calls.__setitem__(network, calls[network] + 1)
        )
    run(learner, samples_of(name, number=1))
    # In a CycleGAN a generator also brings back what the other made.
    passes = 2 if name == "cycle" else 1
    assert calls == {n: passes if n.startswith("generator") else 3 for n in calls}


def test_the_losses_of_the_conditional_gan(small: Small) -> None:
    experiment = build_experiment(small(CGAN), 0).eval()
    batch = sample()
    with torch.no_grad():
        figures = experiment.step(batch)
        made = experiment.generator(batch["source"])
        judged = experiment.discriminator(torch.cat([made, batch["source"]], 1))
        real = experiment.discriminator(torch.cat([batch["target"], batch["source"]], 1))
    expected = {
        "generator": -functional.logsigmoid(judged).mean(),
        "discriminator": -functional.logsigmoid(real).mean() - functional.logsigmoid(-judged).mean(),
        "mae": (made - batch["target"]).abs().mean(),
        "fooling_rate": (judged.sigmoid() > 0.5).float().mean(),
        "recall": (real.sigmoid() > 0.5).float().mean(),
    }
    for name, value in expected.items():
        torch.testing.assert_close(figures[name], value, msg=name)


def losses_descended(experiment: Experiment, batch: Batch) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    with torch.no_grad():
        experiment.step(batch, found.__setitem__)
    return found


def test_what_the_conditional_gan_minimises(small: Small) -> None:
    experiment = build_experiment(small(CGAN, experiment__l1_regularization_weight=7), 0).eval()
    batch = sample()
    loss = losses_descended(experiment, batch)["generator"]
    made = experiment.generator(batch["source"])
    judged = experiment.discriminator(torch.cat([made, batch["source"]], 1))
    expected = -functional.logsigmoid(judged).mean() + 7 * functional.smooth_l1_loss(made, batch["target"])
    torch.testing.assert_close(loss, expected.detach())


def test_what_the_cycle_gan_minimises(small: Small) -> None:
    weights = {"experiment__consistency_weight": 5, "experiment__supervision_weight": 3}
    experiment = build_experiment(small(CYCLE, **weights), 0).eval()
    batch = sample(bands=3)
    found = losses_descended(experiment, batch)
    a, b, there, back = batch["source"], batch["target"], experiment.generator_AB, experiment.generator_BA
    expected = 0
    for x, y, go, come, judge in (
        (a, b, there, back, experiment.discriminator_B),
        (b, a, back, there, experiment.discriminator_A),
    ):
        made = go(x)
        adversarial = -functional.logsigmoid(judge(torch.cat([made, x], 1))).mean()
        cycle, paired = functional.smooth_l1_loss(come(made), x), functional.smooth_l1_loss(made, y)
        expected = expected + adversarial + 5 * cycle + 3 * paired
        real = -functional.logsigmoid(judge(torch.cat([y, x], 1))).mean()
        fake = -functional.logsigmoid(-judge(torch.cat([made, x], 1))).mean()
        name = "discriminator_B" if judge is experiment.discriminator_B else "discriminator_A"
        torch.testing.assert_close(found[name], (real + fake).detach())
    torch.testing.assert_close(found["generators"], expected.detach())


def test_the_upper_bound_sees_its_target_only(small: Small) -> None:
    experiment = build_experiment(small(UPPER_BOUND), 0).eval()
    assert experiment.kinds == ("target",)
    batch = Batch(target=sample()["target"], first=True)
    assert torch.equal(experiment.translate(batch), experiment.generator(batch["target"]))


class Spy:
    """Records what a recurrent generator is shown of the past, in training and in validation."""

    def __init__(self, experiment: Experiment) -> None:
        self.shown: dict[bool, list[Tensor]] = {True: [], False: []}
        self.made: dict[bool, list[Tensor]] = {True: [], False: []}
        experiment.generator.register_forward_hook(self)

    def __call__(self, module: nn.Module, given: tuple[Tensor], made: Tensor) -> None:
        self.shown[module.training].append(given[0][:, -3:].detach().clone())
        self.made[module.training].append(made.detach().clone())


@pytest.mark.parametrize("forgetting", [0, 0.5])
def test_the_past_belongs_to_a_series_and_a_split(forgetting: float, small: Small) -> None:
    """Two series of two steps in training, two in validation, twice over; in training, some of it is forgotten."""
    learner = learner_of(small(RECURRENT, experiment__forgetting=forgetting))
    spy = Spy(learner.experiment)
    training = [sample(n, first=n % 2 == 0, size=3) for n in range(4)]
    validation = [sample(n + 9, first=n % 2 == 0, size=2) for n in range(4)]
    run(learner, training, validation, epochs=2)
    counts = {True: 0, False: 0}
    for mode in counts:
        assert len(spy.shown[mode]) == 8
        for number, shown in enumerate(spy.shown[mode]):
            previous = torch.zeros_like(shown) if number % 2 == 0 else spy.made[mode][number - 1]
            forgotten = [not frame.any() for frame in shown]
            assert torch.equal(shown[~torch.tensor(forgotten)], previous[~torch.tensor(forgotten)]), (mode, number)
            counts[mode] += sum(forgotten) if number % 2 else 0
    assert counts[False] == 0
    assert 0 < counts[True] < 12 if forgetting else counts[True] == 0


def test_no_gradient_flows_into_the_past(small: Small) -> None:
    experiment = build_experiment(small(RECURRENT), 0)
    experiment.generate(sample(0)["source"], first=True)
    assert not experiment._previous.requires_grad


def test_a_series_is_generated_on_its_own_outputs(small: Small) -> None:
    experiment = build_experiment(small(RECURRENT), 0).eval()
    series = sample(size=HORIZON)
    with torch.no_grad():
        made = experiment.translate(series)
        previous = torch.zeros(1, 3, SIDE, SIDE)
        for frame, generated in zip(series["source"], made, strict=True):
            previous = experiment.generator(torch.cat([frame[None], previous], 1))
            torch.testing.assert_close(generated[None], previous)


@pytest.mark.parametrize("name", FILES)
def test_learning_rates_decay_once_an_epoch_each_by_its_own_factor(name: str, small: Small) -> None:
    gammas = {key: 0.9 - number / 10 for number, key in enumerate(small(FILES[name]).optimizer)}
    changes = {f"lr_scheduler__{key}__gamma": gamma for key, gamma in gammas.items()}
    learner = learner_of(small(FILES[name], **changes))
    run(learner, samples_of(name), epochs=3)
    for optimizer, key in zip(learner.optimizers(), gammas, strict=True):
        expected = learner.config.optimizer[key].lr * gammas[key] ** 3
        assert optimizer.param_groups[0]["lr"] == pytest.approx(expected)


@pytest.mark.parametrize("name", FILES)
def test_what_may_be_monitored_is_logged(name: str, small: Small) -> None:
    learner = learner_of(small(FILES[name]))
    trainer = run(learner, samples_of(name), samples_of(name, number=2))
    logged = set(trainer.callback_metrics)
    assert set(learner.config.experiment.monitors) <= logged
    published = {"Loss/train_generator", "Metric/train_mae", "Metric/train_precision", "Metric/val_recall"}
    if name == "cycle":
        published = {"Loss/train_generator_AB", "Loss/cycle_loss_BA", "Loss/mae_AB", "Metric/train_precision_A"}
    assert published <= logged
    torch.testing.assert_close(
        trainer.callback_metrics["val_loss"],
        trainer.callback_metrics["Loss/val_discriminator" + ("_B" if name == "cycle" else "")],
    )


def test_dropout_is_drawn_anew_at_each_batch_and_run(small: Small) -> None:
    """The same frames twice: what the generator makes of them differs by dropout alone."""

    def made(seed: int) -> list[Tensor]:
        config = small(CGAN, optimizer__generator__lr=1e-12, optimizer__discriminator__lr=1e-12)
        weights = build_experiment(config, 0).state_dict()
        learner = learner_of(config, seed)
        learner.experiment.load_state_dict(weights)
        spy = Spy(learner.experiment)
        run(learner, [sample(), sample()])
        return spy.made[True]

    one, again, other = made(1), made(1), made(2)
    assert same(one, again)
    assert not torch.allclose(one[0], one[1], atol=1e-3)
    assert not torch.allclose(one[0], other[0], atol=1e-3)


def test_seeds_give_other_weights(small: Small) -> None:
    states: list[Any] = [build_experiment(small(CGAN), seed).state_dict() for seed in (0, 0, 1)]
    assert same(dict(states[0]), dict(states[1]))
    assert not same(dict(states[0]), dict(states[2]))


def test_pictures(small: Small) -> None:
    titles = {
        "cgan": ["Source - Optical", "Source - SAR", "Generated - Optical", "Target - Optical"],
        "upper_bound": ["Source - Optical", "Generated - Optical", "Target - Optical"],
        "cycle": ["Domain A - SAR", "Generated Domain B - Optical", "Domain B - Optical", "Generated Domain A - SAR"],
    }
    titles["recurrent"] = [*titles["cgan"][:2], "Previous batch output - Optical", *titles["cgan"][2:]]
    for name, path in FILES.items():
        experiment = build_experiment(small(path), 0).eval()
        series = [sample(n, bands=3 if name == "cycle" else 6, size=4) for n in range(2)]
        with torch.no_grad():
            shown = experiment.pictures(series, 3)
            assert [title.removesuffix(" (fake RGB)") for title in shown] == titles[name]
            assert {images.shape for images in shown.values()} == {(2, 3, SIDE, SIDE)}
            if name == "recurrent":
                series_made = experiment.translate(series[1])
                torch.testing.assert_close(shown["Previous batch output - Optical (fake RGB)"][1], series_made[-2])
                torch.testing.assert_close(shown["Generated - Optical (fake RGB)"][1], series_made[-1])


@pytest.mark.parametrize("name", FILES)
def test_eight_pixels_and_one_time_step_are_enough(name: str, small: Small) -> None:
    learner = learner_of(small(FILES[name], side=8))
    experiment = learner.experiment
    batch = sample(bands=3 if name == "cycle" else 6)
    tiny = Batch(first=True, **{kind: batch[kind][:1, :, :8, :8] for kind in ("source", "target")})
    run(learner, [tiny])
    experiment.eval()
    with torch.no_grad():
        assert experiment.translate(tiny).shape == (1, 3, 8, 8)
        assert {images.shape for images in experiment.pictures([tiny], 0).values()} == {(1, 3, 8, 8)}


def test_a_run_that_diverges_says_so(small: Small) -> None:
    learner = learner_of(small(CGAN))
    batch = sample()
    batch["target"][0, 0, 0, 0] = float("inf")
    with pytest.raises(RunError, match=r"epoch 0: .*Metric/train_mae.* not finite: training diverged"):
        run(learner, [batch])
