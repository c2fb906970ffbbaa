"""From configuration files to products on disk: what the root scripts do."""

import logging
from pathlib import Path

from src.toygeneration.config_files import DerivationConfig, GenerationConfig
from src.toygeneration.derivation import DerivedProduct
from src.toygeneration.export import ProductDataset, export
from src.toygeneration.frames import FrameSource
from src.toygeneration.product import Product
from utils.cli import progress_bar
from utils.config import Paths, named, read
from utils.environment import deterministic
from utils.errors import ConfigError

logger = logging.getLogger(__name__)


def write(product: FrameSource, output: Path, *, overwrite: bool, title: str) -> None:
    """Write one product, with a bar of that title and a closing line."""
    features = product.features
    with progress_bar(title, features.horizon) as step:
        export({output: product}, overwrite=overwrite, on_step=step)
    size = f"{features.width}x{features.height}x{features.nbands}"
    logger.info("%s: %d frames of %s (width x height x bands)", output, len(product.steps), size)


def generate(cfg: Paths, output: Path, *, seed: int | None = None, overwrite: bool = False) -> None:
    """Generate a latent product; a seed that is given replaces the file's."""
    config = read(GenerationConfig, cfg)
    with named(cfg, ConfigError), deterministic():
        seed = config.seed if seed is None else seed
        if seed is None:
            raise ConfigError("seed: missing; set it or pass --seed")
        write(Product(config, config.ts.read(), seed), output, overwrite=overwrite, title="Generation")


def derive(
    cfg: Paths, output: Path, *, product: Path | None = None, seed: int | None = None, overwrite: bool = False
) -> None:
    """Derive what a sensor would see of a product; what is given of source and seed replaces the file's."""
    config = read(DerivationConfig, cfg)
    with named(cfg, ConfigError), deterministic():
        source = product or config.latent_product_path
        if source is None:
            raise ConfigError("latent_product_path: missing; set it or pass --product")
        derived = DerivedProduct(config, ProductDataset(source), config.seed if seed is None else seed)
        write(derived, output, overwrite=overwrite, title="Derivation")
