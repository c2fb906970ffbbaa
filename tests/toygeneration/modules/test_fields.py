"""Power-law fields against the plain definition, enlargement against scipy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from src.toygeneration.modules.fields import PowerLaw, enlargement, knots, moved_enlargement


def plain_definition(exponent: float, size: tuple[int, int], number: int, rng: np.random.Generator) -> np.ndarray:
    frequency = np.hypot(np.fft.fftfreq(size[0])[:, None], np.fft.fftfreq(size[1]))
    frequency[0, 0] = 1
    amplitude = frequency**exponent
    amplitude[0, 0] = 0
    fields = np.fft.ifft2(amplitude * np.exp(2j * np.pi * rng.random((number, *size)))).real
    fields -= fields.min(axis=(1, 2), keepdims=True)
    return fields / fields.max(axis=(1, 2), keepdims=True)


def spectrum(fields: np.ndarray) -> np.ndarray:
    """Mean power by wave number along both axes."""
    fields = fields - fields.mean(axis=(1, 2), keepdims=True)
    fields /= fields.std(axis=(1, 2), keepdims=True)
    return (np.abs(np.fft.fft2(fields)) ** 2).mean(axis=0)


@pytest.mark.parametrize("size", [(16, 16), (16, 27), (25, 16), (15, 15)])
@pytest.mark.parametrize("exponent", [-1.5, -1.2])
def test_half_spectrum_has_the_law_of_the_whole(size: tuple[int, int], exponent: float) -> None:
    law, rng = PowerLaw(exponent, *size), np.random.default_rng(0)
    ours = np.stack([law.draw(rng) for _ in range(4000)]).astype(float)
    plain = plain_definition(exponent, size, 4000, rng)
    assert ours.mean() == pytest.approx(plain.mean(), abs=0.01)
    assert ours.std() == pytest.approx(plain.std(), rel=0.02)
    ratio = (spectrum(ours) / spectrum(plain)).ravel()[1:]
    assert np.abs(ratio - 1).max() < 6 * np.sqrt(2 / 4000) * 1.5


def test_fields_fill_0_to_1_whatever_the_size() -> None:
    rng = np.random.default_rng(0)
    for size in ((1, 1), (1, 7), (2, 2), (13, 1), (337, 256), (97, 101)):
        field = PowerLaw(-1.2, *size).draw(rng)
        assert field.shape == size
        assert field.dtype == np.float32
        assert np.isfinite(field).all()
        assert field.min() == 0
        if np.prod(size) > 1:
            assert field.max() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("size", [(6, 6), (5, 5)])
@pytest.mark.parametrize("persistence", [0.3, 0.9])
def test_fields_evolve_wave_by_wave_as_asked(size: tuple[int, int], persistence: float) -> None:
    """After t steps, every wave is correlated by ρ^t with what it was, and as strong as before."""
    law, rng = PowerLaw(-1.5, *size, periodic=True), np.random.default_rng(0)
    seen: list[list[np.ndarray]] = [[], [], []]
    for _ in range(1500):
        phases = law.phases(rng)
        for step in seen:
            step.append(law.compose(phases))
            phases = law.evolve(phases, persistence, rng)
    first, *later = (np.fft.fft2(np.array(step)).reshape(1500, -1)[:, 1:] for step in seen)
    power = (np.abs(first) ** 2).mean(axis=0)
    for t, waves in enumerate(later, 1):
        assert np.abs((np.abs(waves) ** 2).mean(axis=0) / power - 1).max() < 6 * np.sqrt(2 / 1500)
        correlation = (waves * first.conj()).mean(axis=0) / power
        assert np.abs(correlation - persistence**t).max() < 6 * np.sqrt(1.5 / 1500)


@given(st.integers(1, 12), st.integers(1, 4), st.integers(-40, 40), st.integers(-40, 40))
def test_a_periodic_field_moves_as_a_whole(nodes: int, finer: int, down: int, right: int) -> None:
    """By whole pixels it is rolled, whatever they are in nodes; and it is a cubic spline through these."""
    field = np.random.default_rng(nodes).random((nodes, nodes)).astype(np.float32)
    size = nodes * finer

    def enlarged(*moved: float) -> np.ndarray:
        rows, columns = (moved_enlargement(nodes, size, by) for by in moved)
        return rows @ knots(field) @ columns.T.toarray()

    still = enlarged(0, 0)
    assert np.allclose(enlarged(down / size, right / size), np.roll(still, (down, right), (0, 1)), atol=1e-5)
    assert np.allclose(moved_enlargement(nodes, size, 0.3).sum(axis=1), 1, atol=1e-6)
    if nodes > 1:
        oracle = ndimage.zoom(field, finer, order=3, mode="grid-wrap", grid_mode=True)
        assert np.allclose(still, oracle, atol=1e-5)


def test_enlargement_is_a_cubic_spline() -> None:
    coarse = np.random.default_rng(0).random((8, 11))
    ours = enlargement(8, 50) @ coarse @ enlargement(11, 70).T
    oracle = ndimage.zoom(coarse, (50 / 8, 70 / 11), order=3, mode="nearest", grid_mode=True)
    assert np.allclose(ours, oracle, atol=1e-5)


@pytest.mark.parametrize("nodes", [1, 2, 8, 128])
@pytest.mark.parametrize("size", [1, 64, 337])
def test_enlargement_keeps_constants(nodes: int, size: int) -> None:
    matrix = enlargement(nodes, size)
    assert matrix.shape == (size, nodes)
    assert np.allclose(matrix.sum(axis=1), 1, atol=1e-5)
