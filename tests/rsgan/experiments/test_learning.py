"""Each experiment learns: a handful of frames by heart, and a hidden frame from memory."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from src.rsgan.configuration import ExperimentConfig
from src.rsgan.data.store import Batch
from src.rsgan.devices import HARMLESS
from src.rsgan.experiments.experiment import Experiment
from src.rsgan.experiments.utils.losses import mean_absolute_error
from src.rsgan.learner import Learner
from tests.rsgan.conftest import CGAN, CYCLE, RECURRENT, SIDE, UPPER_BOUND
from tests.rsgan.experiments.test_steps import learner_of, run

Small = Callable[..., ExperimentConfig]
pytestmark = [pytest.mark.filterwarnings(f"ignore:{message}") for message in HARMLESS]
GENERATOR = {
    "name": "unet",
    "enc_filters": [16, 32],
    "enc_kwargs": [{"bn": False, "relu": False}, {}],
    "dec_filters": [32, 16],
    "dec_kwargs": [{}, {"bn": False}],
}


def build(small: Small, file: Path, *names: str, seed: int = 0) -> Learner:
    """An experiment large enough to learn something, and quick to do so."""
    plain = small(file)
    changes: dict[str, object] = {}
    for name in names:
        changes[f"model__{name}"] = GENERATOR
    for name in plain.optimizer:
        changes[f"optimizer__{name}__lr"] = 2e-3 if name.startswith("generator") else 2e-4
    return learner_of(small(file, **changes), seed)


def smooth(number: int, bands: int, seed: int, *, nodes: int = 4) -> torch.Tensor:
    """Random images with some structure, within [-1, 1]."""
    coarse = torch.randn(number, bands, nodes, nodes, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.interpolate(coarse, size=(SIDE, SIDE), mode="bilinear").clamp(-1, 1)


def error(experiment: Experiment, sample: Batch) -> float:
    """Mean absolute error over frames, each a series of its own."""
    experiment.eval()
    with torch.no_grad():
        frames = [
            Batch(**{key: value[number, None] for key, value in sample.items() if torch.is_tensor(value)})
            for number in range(len(sample["target"]))
        ]
        errors = [float(mean_absolute_error(experiment.translate(frame), frame["target"])) for frame in frames]
    experiment.train()
    return sum(errors) / len(errors)


@pytest.mark.parametrize(
    ("file", "names", "level"),
    [
        (CGAN, ["generator"], 0.06),
        (RECURRENT, ["generator"], 0.05),
        (CYCLE, ["generator_AB", "generator_BA"], 0.06),
    ],
)
def test_a_handful_of_frames_is_learnt(file: Path, names: list[str], level: float, small: Small) -> None:
    """Images that have nothing to do with their source can only be learnt by heart; the error is 0.5 at first."""
    learner = build(small, file, *names)
    experiment = learner.experiment
    bands = 3 if file == CYCLE else 6
    sample = Batch(source=smooth(6, bands, 0), target=smooth(6, 3, 9), first=True)
    before = error(experiment, sample)
    run(learner, [sample] * 10, epochs=15)
    assert before > 0.35
    assert error(experiment, sample) < level


def test_the_identity_is_near_zero_on_frames_never_seen(small: Small) -> None:
    learner = build(small, UPPER_BOUND, "generator")
    run(learner, [Batch(target=smooth(8, 3, n), first=True) for n in range(20)], epochs=10)
    assert error(learner.experiment, Batch(target=smooth(8, 3, 99), first=True)) < 0.08


def hidden_frames(seed: int, *, series: int = 6, hidden: int = 2) -> list[Batch]:
    """Still scenes of three frames; the last is fully clouded and its radar image empty."""
    scene = smooth(series, 3, seed, nodes=2)
    clear = torch.cat([scene, scene], dim=1)
    clouded = torch.cat([torch.ones_like(scene), torch.zeros_like(scene)], dim=1)
    return [
        Batch(source=clouded if step == hidden else clear, target=scene, first=step == 0) for step in range(hidden + 1)
    ]


def error_when_hidden(experiment: Experiment, steps: list[Batch]) -> float:
    """Error of the last frame, in series never seen."""
    experiment.eval()
    errors = []
    for number in range(len(steps[0]["target"])):
        series = Batch(source=torch.stack([step["source"][number] for step in steps]), first=True)
        with torch.no_grad():
            made = experiment.translate(series)[-1]
        errors.append(float(mean_absolute_error(made, steps[-1]["target"][number])))
    return sum(errors) / len(errors)


def test_memory_shows_what_a_cloud_hides(small: Small) -> None:
    training = [step for seed in range(12) for step in hidden_frames(seed)]
    errors = {}
    for name, file in (("plain", CGAN), ("recurrent", RECURRENT)):
        learner = build(small, file, "generator")
        run(learner, training, epochs=6)
        errors[name] = error_when_hidden(learner.experiment, hidden_frames(99))
    assert errors["plain"] > 0.3
    assert errors["recurrent"] < 0.6 * errors["plain"]
