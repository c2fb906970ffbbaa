"""A task's configurations as one recipe: which products a view has, and which is derived from which."""

import functools
from pathlib import Path, PurePosixPath
from typing import Self

from pydantic import Field

from src.toygeneration.config_files import DerivationConfig, GenerationConfig, ImportedConfig
from src.toygeneration.derivation import DerivedProduct
from src.toygeneration.export import ProductDataset, export, is_product
from src.toygeneration.frames import FrameSource
from src.toygeneration.index import IDENTITY
from src.toygeneration.product import Product
from src.toygeneration.timeserie.dataset import TSDataset
from utils import config as configuration
from utils.environment import deterministic
from utils.errors import ConfigError
from utils.files import digest_file, find_files
from utils.identity import Identity, code_version, digest
from utils.reading import regular_file
from utils.registry import Configured

# What a view doesn't depend on: its latent products have its own seed, and files may lie anywhere.
FREE = {
    "generations": {"__all__": {"seed": True, "ts": {"path", "reference_dataset_path"}}},
    "imported": {"__all__": {"path"}},
    "derivations": {"__all__": {"latent_product_path"}},
}


class Recipe(Configured):
    """The products of a view. In JSON, any worker can receive it."""

    generations: dict[str, GenerationConfig]  # latent products by name: never written
    # latent products that exist, by name
    imported: dict[str, ImportedConfig] = Field(default_factory=dict, exclude_if=lambda imported: not imported)
    derivations: dict[str, DerivationConfig]  # derived products by name: what a view consists of
    sources: dict[str, str]  # name of the product that each derived one is made from

    @classmethod
    def load(cls, folder: Path, *over: Path) -> Self:
        """Read a folder of configurations, with its subfolders; files such as a scale are merged over each of them.

        `generation_NAME.yaml` makes a latent product, `imported_NAME.yaml` says where one is, and
        `derivation_NAME.yaml` makes one of the view's products; the last part of its `latent_product_path` names its
        source. Raises `ConfigError` with all problems of all files.
        """
        generations: dict[str, GenerationConfig] = {}
        imported: dict[str, ImportedConfig] = {}
        derivations: dict[str, DerivationConfig] = {}
        kinds = (
            ("generation_", GenerationConfig, generations),
            ("imported_", ImportedConfig, imported),
            ("derivation_", DerivationConfig, derivations),
        )
        problems = []
        for prefix, model, found in kinds:
            for file in find_files(folder, f"{prefix}*.yaml"):
                name = file.stem.removeprefix(prefix)
                if any(name in others for *_, others in kinds):
                    problems.append(f"{file}: another file makes a product {name!r} already; rename one of them")
                try:
                    found[name] = configuration.validate(model, configuration.load([file, *over]), file)
                except ConfigError as error:
                    problems.append(str(error))
        if problems:
            raise ConfigError(configuration.join(sorted(problems)))
        if not any(found for *_, found in kinds):
            raise ConfigError(f"{folder}: found no generation_*.yaml or derivation_*.yaml; correct --cfg")
        return cls.from_configurations(generations, derivations, folder, imported)

    @classmethod
    def from_configurations(
        cls,
        generations: dict[str, GenerationConfig],
        derivations: dict[str, DerivationConfig],
        folder: Path | str,
        imported: dict[str, ImportedConfig] | None = None,
    ) -> Self:
        """Work out which product is derived from which; the folder is where they come from, for messages."""
        latent = generations | (imported or {})
        known = [*latent, *derivations]
        sources = {name: PurePosixPath(d.latent_product_path or "").name for name, d in derivations.items()}
        problems = [
            f"{folder}: derivation_{name}.yaml: latent_product_path: found source {source!r}, expected the name of "
            f"another product of the task ({', '.join(known)})"
            for name, source in sources.items()
            if source not in known or _root(sources, name) not in latent
        ]
        problems += [
            f"{folder}: generation_{name}.yaml: astype: found {generation.astype}, expected h5: latent frames are "
            "derived as they are, and never written"
            for name, generation in generations.items()
            if generation.astype != "h5"
        ]
        if not derivations:
            problems.append(f"{folder}: found no derivation_*.yaml; a view consists of derived products")
        if problems:
            raise ConfigError(configuration.join(problems))
        return cls(generations=generations, imported=imported or {}, derivations=derivations, sources=sources)

    def identity(self) -> Identity:
        """Say what determines a view, beside its own seed."""
        series = {name: [digest_file(file) for file in config.ts.files] for name, config in self.generations.items()}
        expected = "what utils/import_product.py --tile leaves beside its views"
        for name, config in self.imported.items():
            series[name] = [digest_file(regular_file(Path(config.path, IDENTITY), expected))]
        code = code_version(__name__, configured=self)
        return Identity(self.model_dump(mode="json", exclude=FREE), data=digest(series), code=code)

    @functools.cached_property
    def _series(self) -> dict[str, TSDataset]:
        return {name: config.ts.read() for name, config in self.generations.items()}

    def products(self, seed: int, names: list[str]) -> dict[str, FrameSource]:
        """Set up some of the derived products of the view of that seed. What they have in common is made once."""

        @functools.cache
        def make(name: str) -> FrameSource:
            if name in self.generations:
                return Product(self.generations[name], self._series[name], seed)
            if name in self.imported:
                return ProductDataset(Path(self.imported[name].path, str(seed)))
            config = self.derivations[name]
            return DerivedProduct(config, make(self.sources[name]), config.seed)

        return {name: make(name) for name in names}

    def build(self, folder: Path, seed: int) -> None:
        """Make the products that a view of a data set lacks, together those that have a latent product in common."""
        by_root: dict[str, list[str]] = {}
        for name in self.derivations:
            if not is_product(folder / str(seed) / name):
                by_root.setdefault(_root(self.sources, name), []).append(name)
        with deterministic():
            for names in by_root.values():  # one scene in memory at a time
                products = self.products(seed, names)
                export({folder / str(seed) / name: product for name, product in products.items()})


def _root(sources: dict[str, str], name: str) -> str:
    """Follow the sources of a product to the latent one; in a circle, for as many steps as there are."""
    for _ in sources:
        name = sources.get(name, name)
    return name
