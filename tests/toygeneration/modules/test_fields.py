"""Power-law fields against the plain definition, enlargement against scipy."""

import numpy as np
import pytest
from scipy import ndimage

from src.toygeneration.modules.fields import PowerLaw, enlargement


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
