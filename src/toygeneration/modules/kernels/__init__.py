"""Stationary covariance functions, one file each, chosen by name in a configuration."""

from abc import abstractmethod

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cholesky, toeplitz

from utils.errors import ConfigError
from utils.registry import Configured, Registry

Floats = NDArray[np.float64]


class Kernel(Configured):
    """Covariance between two places on a line, as a function of their distance: one formula."""

    @abstractmethod
    def __call__(self, lag: Floats) -> Floats:
        """Covariance at distances in pixels, of any shape."""

    def factor(self, side: int) -> Floats:
        """Factorise the covariance of `side` consecutive pixels, plus a jitter on the diagonal, into L L^T.

        The leading `n x n` block of the lower triangular L is the factor of the first n pixels, so the factor of the
        longest side serves all. Raises `ConfigError` if rounding makes the covariance indefinite.
        """
        row = self(np.arange(side, dtype=float))
        # Smooth kernels are singular in floating point. Rounding moves eigenvalues by about eps * n * norm, so
        # a jitter of that size makes the factorisation succeed and stays far below anything visible.
        jitter = np.finfo(float).eps * side * max(np.abs(row).sum() * 2, np.finfo(float).tiny)
        row[0] += jitter
        try:
            return cholesky(toeplitz(row), lower=True)
        except LinAlgError as error:
            raise ConfigError(
                f"random_sampler.kernel: {self!r} cannot be factorised over {side} pixels ({error}); choose scales "
                "closer to those of a pixel and a parcel"
            ) from error


KERNELS = Registry(__name__, lenient=True)
