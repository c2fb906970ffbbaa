"""Point spread function and majority, against loops over blocks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from src.toygeneration.derivation import Geometry
from src.toygeneration.frames import Features, Size
from src.toygeneration.modules.aggregations.convolution import Convolution
from src.toygeneration.modules.resampling import majority
from tests.conftest import DISTORTION, derivation
from utils.errors import ConfigError


def convolution(sigma: float = 1.5, **changes: object) -> Convolution:
    return Convolution.model_validate({"name": "convolution", "kernel": {"sigma": sigma}} | changes)


def geometry(target: tuple[int, int], given_size: tuple[int, int], **sections: object) -> Geometry:
    config = derivation(**sections)
    features = Features(given_size[1], given_size[0], 3, 1, 1)
    return Geometry(config.deformation, config.aggregation, Size(height=target[0], width=target[1]), features)


@given(st.integers(1, 40), st.floats(1e-3, 1e6))
def test_weights_are_a_centred_gaussian_of_sum_1(block: int, sigma: float) -> None:
    weights = convolution(sigma).profile(block)
    assert weights.sum() == pytest.approx(1)
    assert np.allclose(weights, weights[::-1])
    assert (np.diff(weights[: (block + 1) // 2]) >= 0).all()
    if block > 2 and sigma > 0.5:
        offset = np.arange(block) - (block - 1) / 2
        expected = -(offset[1] ** 2 - offset[0] ** 2) / (2 * sigma**2)
        if expected < 600:
            assert np.log(weights[1] / weights[0]) == pytest.approx(expected, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("bands", [(), (1,), (3,), (5,)])
def test_every_pixel_is_the_weighted_mean_of_its_block(bands: tuple[int, ...]) -> None:
    height, width, down, across, sigma = 12, 20, 3, 5, 1.2
    frame = np.random.default_rng(0).random((height, width, *bands)).astype(np.float32)
    aggregation = {"name": "convolution", "kernel": {"sigma": sigma}}
    made = geometry((4, 4), (height, width), aggregation=aggregation).frame(frame)
    y, x = np.mgrid[:down, :across] - np.array([(down - 1) / 2, (across - 1) / 2])[:, None, None]
    spread = np.exp(-(x**2 + y**2) / (2 * sigma**2))
    spread /= spread.sum()
    for i, j in np.ndindex(4, 4):
        block = frame[i * down : (i + 1) * down, j * across : (j + 1) * across]
        assert np.allclose(made[i, j], np.tensordot(spread, block, axes=([0, 1], [0, 1])), atol=1e-6)


def test_distortion_then_aggregation_is_one_after_the_other() -> None:
    frame = np.random.default_rng(0).random((60, 85, 3)).astype(np.float32)
    aggregation = {"name": "convolution", "kernel": {"sigma": 1.0}}
    between = geometry((60, 64), (60, 85), deformation=DISTORTION).frame(frame)
    after = geometry((15, 16), (60, 64), aggregation=aggregation).frame(between)
    both = geometry((15, 16), (60, 85), deformation=DISTORTION, aggregation=aggregation).frame(frame)
    assert np.allclose(both, after, atol=1e-5)


def test_constants_stay_constant() -> None:
    frame = np.full((60, 85, 3), 0.37, np.float32)
    aggregation = {"name": "convolution", "kernel": {"sigma": 2.0}}
    made = geometry((15, 16), (60, 85), deformation=DISTORTION, aggregation=aggregation).frame(frame)
    assert np.allclose(made, 0.37, atol=1e-6)


def vote(block: np.ndarray) -> int:
    values, counts = np.unique(block, return_counts=True)
    return values[counts.argmax()]


@given(
    st.integers(1, 5),
    st.integers(1, 6),
    arrays(np.int16, st.tuples(st.just(30), st.just(30)), elements=st.integers(-2, 3)),
)
def test_majority_is_the_most_frequent_label_the_smallest_on_a_tie(down: int, across: int, labels: np.ndarray) -> None:
    labels = labels[: 30 // down * down, : 30 // across * across]
    made = majority(labels, down, across)
    for i, j in np.ndindex(made.shape):
        assert made[i, j] == vote(labels[i * down : (i + 1) * down, j * across : (j + 1) * across])


@pytest.mark.parametrize("axis", [0, 1])
def test_no_label_is_invented(axis: int) -> None:
    rng = np.random.default_rng(0)
    annotation = np.stack([rng.choice([0, 3, 7, 900], (85, 85)), rng.choice([0, 1, 4], (85, 85))], axis=-1)
    target = (16, 17) if axis == 0 else (17, 16)
    deformation = DISTORTION | {"axis": axis}
    aggregation = {"name": "convolution", "kernel": {"sigma": 1.0}}
    made = geometry(target, (85, 85), deformation=deformation, aggregation=aggregation).labels(
        annotation.astype(np.int16)
    )
    assert made.shape == (*target, 2)
    assert made.dtype == np.int16
    assert set(made[..., 0].ravel()) <= {0, 3, 7, 900}
    assert set(made[..., 1].ravel()) <= {0, 1, 4}


def test_labels_are_resampled_by_nearest_neighbour() -> None:
    labels = np.arange(85, dtype=np.int16)
    annotation = np.broadcast_to(labels[None, :, None], (4, 85, 2))
    made = geometry((4, 64), (4, 85), deformation=DISTORTION).labels(annotation)
    where = derivation(deformation=DISTORTION).deformation.source_coordinates(85)
    assert np.array_equal(made[0, :, 0], np.floor(np.clip(where, 0, 84) + 0.5))


def test_sizes_that_do_not_fit_are_named() -> None:
    aggregation = {"name": "convolution", "kernel": {"sigma": 1.0}}
    with pytest.raises(ConfigError, match=r"width 7 does not divide 20, use one of 1, 2, 4, 5, 10, 20"):
        geometry((4, 7), (12, 20), aggregation=aggregation)
    with pytest.raises(ConfigError, match=r"frames are 20x12 after deformation and no aggregation is set"):
        geometry((4, 5), (12, 20))
    with pytest.raises(ConfigError, match=r"latent_size: found 12x20 .* expected 20x12"):
        geometry((4, 5), (12, 20), aggregation=aggregation | {"latent_size": {"width": 12, "height": 20}})
    geometry((4, 5), (12, 20), aggregation=aggregation | {"latent_size": {"width": 20, "height": 12}})
    with pytest.raises(ConfigError, match="width 3 does not divide 20, .*; height 24 does not divide 12, "):
        geometry((24, 3), (12, 20), aggregation=aggregation)
