"""A task's configurations as one recipe: which products a view has, and which is derived from which."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, Self

from src.toygeneration import provenance
from src.toygeneration.configuration import DerivationConfig, GenerationConfig
from src.toygeneration.derivation import DerivedProduct
from src.toygeneration.run import Generator
from src.toygeneration.source import FrameSource
from utils import config as configuration
from utils.errors import ConfigError

PREFIXES = {"generation_": GenerationConfig, "derivation_": DerivationConfig}


@dataclass(frozen=True)
class Task:
    """The products of a view.

    Attributes:
        generations: latent products by name: never written.
        derivations: derived products by name: what a view consists of.
        sources: name of the product that each derived one is made from.
    """

    generations: dict[str, GenerationConfig]
    derivations: dict[str, DerivationConfig]
    sources: dict[str, str]

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a folder of configurations.

        `generation_NAME.yaml` makes a latent product, `derivation_NAME.yaml` one of the view's products; the last
        part of its `latent_product_path` names its source.

        Args:
            folder: searched with its subfolders.

        Returns:
            The task.

        Raises:
            ConfigError: With all problems of all files.
        """
        files = sorted(file for prefix in PREFIXES for file in folder.rglob(f"{prefix}*.yaml"))
        if not files:
            raise ConfigError(f"{folder}: found no generation_*.yaml or derivation_*.yaml; correct --cfg")
        found: dict[type, dict[str, Any]] = {GenerationConfig: {}, DerivationConfig: {}}
        problems = []
        for file in files:
            prefix = next(prefix for prefix in PREFIXES if file.name.startswith(prefix))
            model = PREFIXES[prefix]
            try:
                config = configuration.validate(model, configuration.load(file), file)
            except ConfigError as error:
                problems.append(str(error))
                continue
            name = file.stem.removeprefix(prefix)
            if any(name in configs for configs in found.values()):
                problems.append(f"{file}: another file makes a product {name!r} already; rename one of them")
            found[model][name] = config
        if problems:
            raise ConfigError(configuration.join(problems))
        return cls.from_configurations(found[GenerationConfig], found[DerivationConfig], folder)

    @classmethod
    def from_configurations(
        cls, generations: dict[str, GenerationConfig], derivations: dict[str, DerivationConfig], folder: Path | str
    ) -> Self:
        """Work out which product is derived from which.

        Args:
            generations: by product name.
            derivations: by product name.
            folder: where they come from, for messages.

        Returns:
            The task.

        Raises:
            ConfigError: If a source is missing, or products are derived from each other in a circle.
        """
        known = [*generations, *derivations]
        sources = {name: PurePosixPath(d.latent_product_path or "").name for name, d in derivations.items()}
        problems = [
            f"{folder}: derivation_{name}.yaml: latent_product_path: found source {source!r}, expected the name of "
            f"another product of the task ({', '.join(known)})"
            for name, source in sources.items()
            if source not in known or not _reaches(generations, sources, name)
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
        return cls(generations, derivations, sources)

    def dump(self) -> dict[str, Any]:
        """Turn the task into plain data that any worker can receive."""
        kinds = {"generations": self.generations, "derivations": self.derivations}
        plain = {kind: {n: c.model_dump(mode="json") for n, c in configs.items()} for kind, configs in kinds.items()}
        return plain | {"sources": self.sources}

    @classmethod
    def restore(cls, plain: dict[str, Any]) -> Self:
        """Undo `dump`."""
        return cls(
            {name: GenerationConfig.model_validate(content) for name, content in plain["generations"].items()},
            {name: DerivationConfig.model_validate(content) for name, content in plain["derivations"].items()},
            plain["sources"],
        )

    @cached_property
    def _generators(self) -> dict[str, Generator]:
        return {name: Generator(config) for name, config in self.generations.items()}

    def check(self) -> None:
        """Read the time series and try the geometry of every product, so that a bad task fails before it starts.

        Raises:
            ProjectError: As a view would.
        """
        self.products(0, list(self.derivations))

    def root(self, name: str) -> str:
        """Name the latent product that a product comes from.

        Args:
            name: of a product.

        Returns:
            Name of a generation.
        """
        while name in self.sources:
            name = self.sources[name]
        return name

    def products(self, seed: int, names: list[str]) -> dict[str, FrameSource]:
        """Set up products of one view. What they have in common is made once.

        Args:
            seed: of the view: all latent products are generated with it.
            names: of derived products.

        Returns:
            The products by name.
        """
        made: dict[str, FrameSource] = {}

        def make(name: str) -> FrameSource:
            if name not in made:
                if name in self.generations:
                    made[name] = self._generators[name](seed)
                else:
                    config = self.derivations[name]
                    made[name] = DerivedProduct(config, make(self.sources[name]), config.seed)
            return made[name]

        return {name: make(name) for name in names}

    def provenance(self, seed: int, name: str) -> dict[str, Any]:
        """Say how a product of a view would come about, without making it.

        Args:
            seed: of the view.
            name: of the product.

        Returns:
            What its index would hold.
        """
        if name in self.generations:
            return self._generators[name].provenance(seed)
        config = self.derivations[name]
        return provenance.describe(config.seed, config, self.provenance(seed, self.sources[name]))


def _reaches(generations: dict[str, GenerationConfig], sources: dict[str, str], name: str) -> bool:
    """Whether following the sources of a product ends at a latent one."""
    for _ in range(len(sources) + 1):
        if name in generations:
            return True
        name = sources.get(name, "")
    return False
