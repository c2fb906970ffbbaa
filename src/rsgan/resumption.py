"""Whether training can go on from a checkpoint: checked here, before Lightning sees any of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from src.rsgan.checkpoint import IDENTITY, REMEDY, WEIGHTS, check_weights, misfits, read_checkpoint
from src.rsgan.learner import Learner
from utils.errors import DataError, UsageError
from utils.identity import Identity

LOOPS = ("fit_loop", "validate_loop", "test_loop", "predict_loop")


def check_identity(path: Path, identity: Identity) -> None:
    """Make sure that a checkpoint belongs to a run; code may have changed since.

    Raises:
        UsageError: If it belongs to another.
        DataError: If it cannot be read.
    """
    found = Identity.restore(read_checkpoint(path)[IDENTITY]).differences(identity, apart_from=["code"])
    if found:
        raise UsageError(
            f"{path}: belongs to another run ({found}); take the same configuration and seed, or start over"
        )


def check_resumable(path: Path, learner: Learner, trainer: pl.Trainer) -> int:
    """Make sure that training can go on from a checkpoint.

    Returns:
        The epoch that it goes on with, from 0; the one that the checkpoint was written in if that was not over.

    Raises:
        DataError: If anything is missing, of another shape or type, or contradicts the rest.
    """
    content = read_checkpoint(path)
    check_weights(content[WEIGHTS], learner.weights(), path)
    example = _example(learner, trainer, content)
    problem = next(misfits({key: content[key] for key in example if key in content}, example), None)
    if problem:
        raise DataError(f"{path}: {problem}; {REMEDY}")
    progress = content["loops"]["fit_loop"]["epoch_progress"]["current"]
    begun, over, epoch = progress["started"], progress["processed"], content["epoch"]
    if not epoch <= progress["completed"] <= over <= begun == progress["ready"] == epoch + 1:
        raise DataError(f"{path}: epoch: found {epoch}, but {begun} begun and {over} over; {REMEDY}")
    return over


def _example(learner: Learner, trainer: pl.Trainer, content: Mapping[str, Any]) -> dict[str, Any]:
    """What a checkpoint of this experiment and trainer looks like, weights apart."""
    made = learner.configure_optimizers()
    states = content.get("optimizer_states")
    states = states if isinstance(states, list) and len(states) == len(made) else [None] * len(made)
    loops = {name: _kinds(getattr(trainer, name).state_dict()) for name in LOOPS}
    loops["fit_loop"]["state_dict"] = {"combined_loader": [{"done": int}]}
    return {
        "global_step": int,
        "optimizer_states": [_optimizer(pair["optimizer"], found) for pair, found in zip(made, states, strict=True)],
        "lr_schedulers": [_schedule(pair["lr_scheduler"]) for pair in made],
        "loops": loops,
        "callbacks": {
            callback.state_key: {key: _kind(value) for key, value in callback.state_dict().items()}
            for callback in trainer.callbacks
            if callback.state_dict()
        },
        IDENTITY: None,
        **dict.fromkeys(learner.experiment.memory()),
    }


def _kinds(nest: object) -> Any:  # noqa: ANN401 - a nest of types
    """Put types in place of the values of a nest."""
    if isinstance(nest, Mapping):
        return {key: _kinds(value) for key, value in nest.items()}
    return [_kinds(value) for value in nest] if isinstance(nest, list) else _kind(nest)


def _kind(value: object) -> object:
    return value if value is None or isinstance(value, Tensor) else type(value)


def _schedule(schedule: LRScheduler) -> dict[str, Any]:
    """How fast the learning rate decays is given; how far it has come is not."""
    moves = ("_", "last_")
    return {key: _kinds(value) if key.startswith(moves) else value for key, value in schedule.state_dict().items()}


def _optimizer(optimizer: Optimizer, found: object) -> dict[str, Any]:
    """What Adam keeps of each parameter that has been descended along."""
    kept = found.get("state") if isinstance(found, Mapping) else None
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    state = {
        number: {"step": torch.zeros(()), "exp_avg": parameter, "exp_avg_sq": parameter}
        for number, parameter in enumerate(parameters)
        if not isinstance(kept, Mapping) or number in kept
    }
    groups = [group | {"lr": float} for group in optimizer.state_dict()["param_groups"]]
    return {"state": state, "param_groups": groups}
