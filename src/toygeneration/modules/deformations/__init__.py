"""What a sensor's geometry does to frames and masks, one file each, chosen by name in a configuration."""

from abc import abstractmethod

from src.toygeneration.modules.resampling import AxisMap
from utils.registry import Configured, Registry


class Deformation(Configured):
    """A static, separable change of geometry."""

    @abstractmethod
    def maps(self, height: int, width: int) -> tuple[AxisMap | None, AxisMap | None]:
        """Compute where the pixels of rows and of columns come from; None where an axis stays as it is.

        Raises `ConfigError` if the configuration does not fit frames of that size.
        """


DEFORMATIONS = Registry(__name__)
