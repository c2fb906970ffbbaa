"""Products to export: with clouds at some steps, and with parcels that change."""

from pathlib import Path

import numpy as np
import pytest

from src.toygeneration.derivation import DerivedProduct
from src.toygeneration.export import export
from src.toygeneration.frames import Labels, Sample
from src.toygeneration.product import Product
from tests.conftest import CLOUDS, derivation, generation, make_dataset, scene


class Moving(Product):
    """A product whose parcels change."""

    def _make(self, step: int) -> Sample:
        return super()._make(step) | {"annotation": self.labels(step)}

    def labels(self, step: int) -> Labels:
        return np.roll(self.annotation, step, axis=1)


@pytest.fixture
def view(tmp_path: Path) -> Path:
    """A folder with a product, and one of every second step with clouds."""
    latent, folder = scene(), tmp_path / "view"
    clouded = DerivedProduct(derivation(corruption=CLOUDS, temporal_res=2), latent, 5)
    export({folder / "latent": latent, folder / "clouded": clouded})
    return folder


@pytest.fixture
def moving(tmp_path: Path) -> Path:
    export({tmp_path / "moving": Moving(generation(), make_dataset(), 3)})
    return tmp_path / "moving"
