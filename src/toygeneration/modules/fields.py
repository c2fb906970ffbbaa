"""Random fields with a power-law spectrum, and smooth enlargement."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage
from scipy.sparse import csr_array

Field = NDArray[np.float32]
Phases = tuple[Field, Field]
TURN = np.float32(2 * np.pi)


class PowerLaw:
    """Real part of the inverse FFT of amplitudes |f|^β with random phases, `(height, width)`.

    Only half of the spectrum is drawn. Of the pair f, -f with phases φ and ψ, the real part of the sum is
    `2 |f|^β cos((φ + ψ) / 2) cos(2π f x + (φ - ψ) / 2)`, and half sum and half difference of two uniform phases are
    again independent and uniform, so `|f|^β cos(a) e^{ib}` at f alone, with uniform a and b, has the same law. On
    the zero (and Nyquist) column both f and -f are in the half spectrum: phases there are plain.

    The grid is the next larger size that the FFT does fast, and the field is cut from it; or, if `periodic`, the
    field is one whole period.
    """

    def __init__(self, exponent: float, height: int, width: int, *, periodic: bool = False) -> None:
        self._size = height, width
        self._grid = self._size if periodic else tuple(fft.next_fast_len(side, real=True) for side in self._size)
        rows, columns = fft.fftfreq(self._grid[0]), fft.rfftfreq(self._grid[1])
        frequency = np.hypot(rows[:, None], columns)
        frequency[0, 0] = 1
        amplitude = frequency**exponent
        amplitude[0, 0] = 0
        self._amplitude = amplitude.astype(np.float32)
        self._plain = [0, -1] if self._grid[1] % 2 == 0 else [0]

    def draw(self, rng: np.random.Generator) -> Field:
        """Draw one field, rescaled to [0, 1]."""
        return rescaled(self.compose(self.phases(rng)))

    def phases(self, rng: np.random.Generator) -> Phases:
        """Draw a and b."""
        half_sum, half_difference = (rng.random(self._amplitude.shape, dtype=np.float32) * TURN for _ in range(2))
        return half_sum, half_difference

    def evolve(self, phases: Phases, persistence: float, rng: np.random.Generator) -> Phases:
        """Let time pass, after which the field is as random as before, and correlated with what it was by ρ.

        φ and ψ take independent normal steps δ of variance -2 ln ρ, so that E[e^{iδ}] = ρ for each: after t steps the
        correlation is ρ^t. ρ is above 0.
        """
        deviation = np.float32(math.sqrt(-math.log(persistence)))  # of half the sum and half the difference of two δ
        steps = [rng.standard_normal(self._amplitude.shape, np.float32) * deviation for _ in range(2)]
        steps[1][:, self._plain] *= np.float32(math.sqrt(2))  # there b is φ itself
        return phases[0] + steps[0], phases[1] + steps[1]

    def compose(self, phases: Phases) -> Field:
        """Compute the field, with its own mean of about 0 and scale."""
        half_sum, half_difference = phases
        size = np.cos(half_sum)
        size[:, self._plain] = 1
        size *= self._amplitude
        spectrum = np.empty(size.shape, np.complex64)
        spectrum.real, spectrum.imag = size * np.cos(half_difference), size * np.sin(half_difference)
        return fft.irfft2(spectrum, s=self._grid)[: self._size[0], : self._size[1]]


def rescaled(field: Field) -> Field:
    """Bring a field to minimum 0 and maximum 1, in place (all 0 for a single pixel)."""
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


def knots(field: Field) -> Field:
    """Coefficients of the periodic cubic spline through a field, for `moved_enlargement`."""
    return ndimage.spline_filter(field, order=3, output=np.float32, mode="grid-wrap")


def moved_enlargement(nodes: int, size: int, moved: float) -> csr_array:
    """Compute the matrix `(size, nodes)` that enlarges a periodic axis, given by its `knots`, after it has moved.

    It spans the same extent as what it becomes, and moves towards larger indices by a share of that.
    """
    place = (np.arange(size) + 0.5) * (nodes / size) - 0.5 - moved % 1 * nodes
    left = np.floor(place)
    t, u = place - left, 1 - (place - left)
    weights = np.empty((size, 4), np.float32)
    weights[:, 0], weights[:, 3] = u * u * u, t * t * t  # a power would take longer than all the rest
    weights[:, 1], weights[:, 2] = 4 - 3 * t * t * (2 - t), 4 - 3 * u * u * (2 - u)
    weights /= 6
    indices = (left[:, None].astype(np.int32) + np.arange(-1, 3, dtype=np.int32)) % nodes
    starts = np.arange(0, 4 * size + 1, 4, dtype=np.int32)
    return csr_array((weights.ravel(), indices.ravel(), starts), shape=(size, nodes))
