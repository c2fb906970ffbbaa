"""Random fields with a power-law spectrum, and smooth enlargement."""

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

Field = NDArray[np.float32]
TURN = np.float32(2 * np.pi)


class PowerLaw:
    """Real part of the inverse FFT of amplitudes |f|^β with random phases, rescaled to [0, 1].

    Only half of the spectrum is drawn. Of the pair f, -f with phases φ and ψ, the real part of the sum is
    `2 |f|^β cos((φ + ψ) / 2) cos(2π f x + (φ - ψ) / 2)`, and half sum and half difference of two uniform phases are
    again independent and uniform, so `|f|^β cos(a) e^{ib}` at f alone, with uniform a and b, has the same law. On
    the zero (and Nyquist) column both f and -f are in the half spectrum: phases there are plain.

    The grid is the next larger size that the FFT does fast, and the field is cut from it.
    """

    def __init__(self, exponent: float, height: int, width: int) -> None:
        self._size = height, width
        self._grid = tuple(fft.next_fast_len(side, real=True) for side in self._size)
        rows, columns = fft.fftfreq(self._grid[0]), fft.rfftfreq(self._grid[1])
        frequency = np.hypot(rows[:, None], columns)
        frequency[0, 0] = 1
        amplitude = frequency**exponent
        amplitude[0, 0] = 0
        self._amplitude = amplitude.astype(np.float32)
        self._plain = [0, -1] if self._grid[1] % 2 == 0 else [0]

    def draw(self, rng: np.random.Generator) -> Field:
        """Draw one field `(height, width)`, minimum 0 and maximum 1 (all 0 for a single pixel)."""
        shape = self._amplitude.shape
        half_sum, half_difference = (rng.random(shape, dtype=np.float32) * TURN for _ in range(2))  # a, b
        size = np.cos(half_sum)
        size[:, self._plain] = 1
        size *= self._amplitude
        spectrum = np.empty(shape, np.complex64)
        spectrum.real, spectrum.imag = size * np.cos(half_difference), size * np.sin(half_difference)
        field = fft.irfft2(spectrum, s=self._grid)[: self._size[0], : self._size[1]]
        low, high = field.min(), field.max()
        field -= low
        field *= 1 / max(high - low, np.finfo(np.float32).tiny)
        return field


def enlargement(nodes: int, size: int) -> NDArray[np.float32]:
    """Compute the matrix `(size, nodes)` that enlarges an axis by cubic spline interpolation.

    `enlargement(n, H) @ field @ enlargement(n, W).T` enlarges a field. Both axes span the same extent, pixel edge to
    pixel edge.
    """
    if nodes == 1:
        return np.ones((size, 1), np.float32)
    identity = np.eye(nodes)
    fine = ndimage.zoom(identity, (size / nodes, 1), order=3, mode="nearest", grid_mode=True)
    return fine.astype(np.float32)
