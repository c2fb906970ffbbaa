"""From a configuration and its data to networks with fresh weights."""

from collections.abc import Iterator

import torch

from src.rsgan.configuration import ExperimentConfig
from src.rsgan.data.views import ViewShape
from src.rsgan.experiments.experiment import Experiment
from src.rsgan.models import Network
from src.rsgan.models.layers import Shape
from utils.config import join
from utils.errors import ConfigError
from utils.memory import problem
from utils.seeding import Streams

BYTES = 4  # of a number in single precision
LEARNING = 4  # numbers that a parameter takes in training: itself, its gradient, and Adam's two moments


def sized(config: ExperimentConfig, features: ViewShape, smallest_batch: int | None = None) -> ExperimentConfig:
    """Give networks the sizes that follow from the data, where a file leaves them out, and make sure that all fit.

    `smallest_batch` counts the frames of the smallest training batch; None where nothing is trained.

    Raises:
        ConfigError: Naming every size that doesn't fit, the data or the memory.
    """
    source, target = config.dataset.bands(features.nbands)
    networks, problems = {}, []
    for name, (given, wanted) in config.experiment.channels(source, target).items():
        shape = (given, features.height, features.width)
        try:
            networks[name] = config.model[name].sized(shape, wanted or 1)
        except ValueError as error:
            problems.append(f"model.{name}: {error}")
        else:
            problems += [f"model.{name}{found}" for found in _misfits(networks[name], shape, wanted, smallest_batch)]
    if problems:
        bands = f"{source} source and {target} target bands of {features.height}x{features.width} pixels"
        raise ConfigError(f"{join(problems)} (the data set {config.dataset.root} has {bands})")
    return config.model_copy(update={"model": networks})


def _misfits(network: Network, given: Shape, out_channels: int | None, smallest_batch: int | None) -> Iterator[str]:
    """Say what a network takes, gives or needs that it must not; `out_channels` is None for a discriminator."""
    if network.input_size != given:
        found = f"found {list(network.input_size)}, expected {list(given)} (channels, height, width)"
        yield f".input_size: {found}"
    expected = [out_channels, *network.input_size[1:]]
    if out_channels is None and network.output_size[0] != 1:
        yield f": gives {network.output_size[0]} channels, expected 1, a logit a patch"
    if out_channels is not None and list(network.output_size) != expected:
        yield f": makes {list(network.output_size)} of its input, expected {expected}"
    if smallest_batch == network.fewest_normalised == 1:
        yield (
            ": a batch of one frame leaves a single pixel to batch normalisation; use a larger "
            "dataset.dataloader.batch_size or fewer layers"
        )
    size = BYTES * (network.parameters * (LEARNING if smallest_batch else 1) + network.values)
    found = problem(f"{network.parameters:,} parameters and one frame", size, "use fewer or smaller filters")
    if found:
        yield f": {found}"


def build_experiment(config: ExperimentConfig, seed: int) -> Experiment:
    """Build an experiment with fresh networks, whose weights the seed draws, from a `sized` configuration."""
    torch.manual_seed(Streams((seed,)).integer("initialisation"))
    return config.experiment.builds(config.experiment, config.model)
