"""From configuration files to products on disk: what the root scripts do."""

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from src.toygeneration import provenance
from src.toygeneration.configuration import DerivationConfig, GenerationConfig
from src.toygeneration.derivation import DerivedProduct
from src.toygeneration.export import ProductDataset, check_output, export
from src.toygeneration.product import Product
from src.toygeneration.source import FrameSource
from src.toygeneration.timeserie.dataset import TSDataset
from src.toygeneration.timeserie.source import resolve
from utils import config as configuration
from utils.errors import ConfigError
from utils.files import digest
from utils.progress_bar import progress_bar

logger = logging.getLogger(__name__)


@contextlib.contextmanager
def naming(cfg: Path) -> Iterator[None]:
    """Put a configuration file's name before what is wrong with its content.

    Args:
        cfg: the file.

    Yields:
        Nothing.

    Raises:
        ConfigError: With the file's name in front.
    """
    try:
        yield
    except ConfigError as error:
        known = str(error).startswith(str(cfg))
        raise ConfigError(str(error) if known else f"{cfg}: {error}") from error


def deterministic() -> contextlib.AbstractContextManager[object]:
    """Keep matrix products to one thread.

    BLAS sums in another order with another number of threads, so that bytes would depend on the machine's load and
    on the number of workers.

    Returns:
        A context.
    """
    return threadpool_limits(1, user_api="blas")


def write(product: FrameSource, output: Path, *, overwrite: bool, title: str) -> None:
    """Write one product, with a bar and a closing line.

    Args:
        product: what to write.
        output: its folder.
        overwrite: whether an existing product may be replaced.
        title: of the bar.
    """
    features = product.features
    with progress_bar(title, features.horizon) as step:
        export({output: product}, overwrite=overwrite, on_step=step)
    size = f"{features.width}x{features.height}x{features.nbands}"
    logger.info("%s: %d frames of %s (width x height x bands)", output, len(product.steps), size)


class Generator:
    """Makes latent products of one configuration; the time series are read once.

    Args:
        config: the generation file's content.

    Raises:
        DataError: If a time series file is malformed.
        ConfigError: If the configuration doesn't fit the time series.
    """

    def __init__(self, config: GenerationConfig) -> None:
        files = [file for path in config.ts.path for file in resolve(path)]
        self.config = config
        self._dataset = TSDataset.from_files(files, ndim=config.ts.ndim, nclass=config.ts.nclass, dims=config.ts.dims)
        self._dataset.check_horizon(config.product.horizon)
        self._digests = [{"name": file.name, "sha256": digest(file)} for file in files]

    def __call__(self, seed: int) -> Product:
        """Make a scene.

        Args:
            seed: of all random streams.

        Returns:
            The product; its frames are made when asked for.
        """
        return Product(self.config, self._dataset, seed, self._digests)

    def provenance(self, seed: int) -> dict[str, Any]:
        """Say how a scene would come about, without making it.

        Args:
            seed: of all random streams.

        Returns:
            What the product's index would hold.
        """
        return provenance.describe(seed, self.config, self._digests)


def generate(cfg: Path, output: Path, *, seed: int | None = None, overwrite: bool = False) -> None:
    """Generate a latent product.

    Args:
        cfg: generation file.
        output: folder of the product.
        seed: instead of the file's.
        overwrite: whether an existing product may be replaced.

    Raises:
        ProjectError: If anything in the input is wrong.
        OSError: If writing fails.
    """
    with naming(cfg):
        config = configuration.validate(GenerationConfig, configuration.load(cfg), cfg)
        seed = config.seed if seed is None else seed
        if seed is None:
            raise ConfigError("seed: missing; set it or pass --seed")
        check_output(output, overwrite=overwrite)
        with deterministic():
            write(Generator(config)(seed), output, overwrite=overwrite, title="Generation")


def derive(
    cfg: Path, output: Path, *, product: Path | None = None, seed: int | None = None, overwrite: bool = False
) -> None:
    """Derive what a sensor would see of a product.

    Args:
        cfg: derivation file.
        output: folder of the derived product.
        product: the source, instead of the file's.
        seed: instead of the file's.
        overwrite: whether an existing product may be replaced.

    Raises:
        ProjectError: If anything in the input is wrong.
        OSError: If writing fails.
    """
    with naming(cfg):
        config = configuration.validate(DerivationConfig, configuration.load(cfg), cfg)
        source = product or config.latent_product_path
        if source is None:
            raise ConfigError("latent_product_path: missing; set it or pass --product")
        check_output(output, overwrite=overwrite)
        with deterministic():
            derived = DerivedProduct(config, ProductDataset(source), config.seed if seed is None else seed)
            write(derived, output, overwrite=overwrite, title="Derivation")
