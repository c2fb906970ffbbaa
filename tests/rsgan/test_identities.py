"""What a classifier and a test are: what changes them, and what doesn't."""

from collections.abc import Callable
from typing import Any

import pytest

from src.rsgan import identities
from src.rsgan.configuration import ExperimentConfig
from tests.rsgan.conftest import BASELINES, CGAN, CYCLE, RECURRENT, Shrunk
from utils import config as configuration
from utils.identity import Identity

Read = Callable[..., ExperimentConfig]


def judge(config: ExperimentConfig, data: str) -> Identity:
    return identities.of_classifier(config.reference_classifier, config, data)


SPLIT = {"train": 0.5, "val": 0.25, "test": 0.25}


@pytest.fixture
def read(cfg: Shrunk) -> Read:
    """A function that reads a file's experiment, changed."""
    return lambda file, **changes: configuration.read(ExperimentConfig, cfg(file, **changes))


@pytest.mark.parametrize("file", [RECURRENT, BASELINES[0]])
def test_a_classifier_serves_all_experiments_on_a_data_set(read: Read, file: Any) -> None:
    first = judge(read(CGAN), "views")
    assert judge(read(file), "views") == first
    free = {"dataset__root": "/elsewhere", "dataset__sources": ["sar"], "reference_classifier__n_chunks": 7}
    assert judge(read(CGAN, **free), "views") == first


def test_another_classifier_split_target_or_data_set_is_other_work(read: Read) -> None:
    others = [
        read(CGAN, reference_classifier__seed=5),
        read(CGAN, experiment__seed=5),
        read(CGAN, dataset__split=SPLIT),
        read(CGAN, dataset__target="sar"),
        read(CYCLE),
    ]
    digests = {judge(config, "views").digest for config in (read(CGAN), *others)}
    assert len(digests | {judge(read(CGAN), "others").digest}) == len(others) + 2


def test_what_is_tested_depends_on_its_sections_and_not_on_where_files_are(read: Read) -> None:
    first = identities.of_test(read(BASELINES[0]))
    assert identities.of_test(read(BASELINES[0], dataset__root="/elsewhere", reference_classifier__seed=5)) == first
    assert identities.of_test(read(BASELINES[0], dataset__split=SPLIT)).digest != first.digest
    assert identities.of_test(read(BASELINES[1])).digest != first.digest
