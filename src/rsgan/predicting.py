"""Products without a truth: what a checkpoint makes of any products like those that it was trained on."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from src.rsgan.baselines import BaselineSettings
from src.rsgan.building import sized
from src.rsgan.checkpoint import IDENTITY, read_checkpoint
from src.rsgan.configuration import ExperimentConfig
from src.rsgan.data.datamodule import ToyDataModule
from src.rsgan.data.opacity import fit_opacity
from src.rsgan.data.store import Batch, read_series, to_device
from src.rsgan.data.views import View, ViewShape, to_reflectance
from src.rsgan.devices import Devices, compute_exactly, quieten
from src.rsgan.evaluation.metrics.uncertainty import uncertainty_of
from src.rsgan.experiments import Generated, Translator
from src.rsgan.translator import FREE, generate, load_experiment
from src.toygeneration.export import ProductDataset, export, read_products
from src.toygeneration.frames import Features, Frame, FrameSource, Sample
from src.toygeneration.index import describe, seeds_of
from utils.config import named, read
from utils.errors import ConfigError, DataError, UsageError
from utils.files import digest_file
from utils.identity import Identity

logger = logging.getLogger(__name__)
MOST_BANDS, MOST_ADDED = 1000, 512  # of a target, that are tried; pixels that a network's layers may need more


class PredictedProduct(FrameSource):
    """Frames `(T, H, W, C)` of some time steps of other products, with their annotations, place and dates."""

    def __init__(
        self,
        frames: NDArray[np.float32],
        steps: Sequence[int],
        sources: Sequence[ProductDataset],
        provenance: dict[str, Any],
    ) -> None:
        self._frames, self._sources, self._provenance = frames, sources, provenance
        _, height, width, nbands = frames.shape
        first, horizon = sources[0], max(map(len, sources))
        self.features = Features(width, height, nbands, horizon, first.features.ndigit)
        self.steps, self.seeds = list(steps), seeds_of(provenance)
        self.georeference, self.dates = first.georeference, first.dates

    def _make(self, step: int) -> Sample:
        frame: Frame = self._frames[self.steps.index(step)]
        seen = next(source for source in self._sources if step in source.steps)
        return {"frame": frame, "annotation": seen.annotation(step)}

    def provenance(self) -> dict[str, Any]:
        return self._provenance


def predict(
    cfg: Sequence[Path], chkpt: Path, products: Sequence[Path], out: Path, *, devices: Devices, overwrite: bool = False
) -> None:
    """Write a product of what a checkpoint makes of others, and one of its standard deviations, if there are any.

    Args:
        products: in the order of `dataset.sources`; behind them that of `dataset.clouds`, if opacity has to be known of
            it and it is none of them.
        out: folder of the product; that of standard deviations is beside it, with `_std` at its end.

    Raises:
        ConfigError: If a file is wrong, or networks cannot have frames of that size.
        UsageError: If the checkpoint or the number of products is another experiment's, or standard deviations that
            aren't of what is made are in its place.
        DataError: If something cannot be read, or products don't fit together.
    """
    quieten()
    compute_exactly()
    config = read(ExperimentConfig, cfg)
    with named(cfg, ConfigError):
        _check(config)
    sources = read_products(products)
    view = _view(config, sources)
    checkpoint = read_checkpoint(chkpt)
    run = Identity.restore(checkpoint[IDENTITY])
    with named(cfg, ConfigError):
        config, size = _sized(config, view.features, _bands(config, run, view.features, chkpt))
    sizes = (f"model.{network}.input_size" for network in config.model)
    experiment = load_experiment(config, checkpoint, chkpt, apart_from=(*FREE, *sizes)).to(devices.own)
    made = _generate(experiment, to_device(read_series(view, ("source",)), devices.own), size)
    origin = {
        "checkpoint": digest_file(chkpt),
        "beside": {name: product.provenance() for name, product in zip(_names(config)[1:], sources[1:], strict=True)},
    }
    provenance = describe(run.seed, config, sources[0].provenance()) | origin
    written = {out: to_reflectance(_on_disk(made.frames))}
    uncertain = uncertainty_of(made)
    spread = out.with_name(f"{out.name}_std")
    if uncertain:
        written[spread] = _on_disk(uncertain.std) / 2
    elif spread.exists():
        raise UsageError(f"{spread}: found what would be taken for deviations of {out}, which has none; remove it")
    steps = view.features.steps
    export(
        {path: PredictedProduct(frames, steps, sources, provenance) for path, frames in written.items()},
        overwrite=overwrite,
    )
    logger.info("%s: %s", out, view.features)


def _check(config: ExperimentConfig) -> None:
    experiment = config.experiment
    if isinstance(experiment, BaselineSettings):
        raise ConfigError(f"experiment.name: found {experiment.name}, expected an experiment that is trained")
    if "source" not in experiment.builds.kinds:
        raise ConfigError(f"experiment.name: found {experiment.name}, which must be given the target")


def _names(config: ExperimentConfig) -> list[str]:
    """What the data set's configuration calls the products that are needed."""
    dataset = config.dataset
    clouds = () if dataset.opacity == "none" else (dataset.clouds,)
    return list(dict.fromkeys((*dataset.sources, *clouds)))


def _view(config: ExperimentConfig, products: Sequence[ProductDataset]) -> View:
    """Take products for those of a view, with whatever the method is told of their opacity."""
    names = _names(config)
    if len(products) != len(names):
        raise UsageError(f"--product: found {len(products)}, expected {len(names)}, in this order: {', '.join(names)}")
    named_products = dict(zip(names, products, strict=True))
    view = View(products[0].root.name, named_products, config.dataset)
    if config.dataset.opacity == "exact" and not named_products[config.dataset.clouds].has_clouds:
        raise DataError(
            f"{named_products[config.dataset.clouds].root}: found no opacity of clouds, expected it as dataset.opacity "
            "is exact; take a checkpoint that was told none, or what is estimated"
        )
    if config.dataset.opacity != "estimated":
        return view
    plain = config.dataset.model_copy(update={"opacity": "none"})
    data = ToyDataModule(plain, split_seed=config.experiment.seed, seed=0)
    return view.estimating(fit_opacity(data.views("train")))


def _bands(config: ExperimentConfig, run: Identity, shape: ViewShape, chkpt: Path) -> int:
    """Find of how many bands the target was, by what the checkpoint's networks take and give."""
    source = sum(shape.nbands[name] for name in config.dataset.sources) + (config.dataset.opacity != "none")
    networks = run.configuration.get("model", {})
    for target in range(1, MOST_BANDS):
        wanted = config.experiment.channels(source, target)
        if all(
            name in networks
            and networks[name]["input_size"][0] == given
            and networks[name].get("out_channels") == gives
            for name, (given, gives) in wanted.items()
        ):
            return target
    bands = ", ".join(f"{name} {shape.nbands[name]}" for name in config.dataset.sources)
    raise UsageError(f"{chkpt}: a checkpoint for products of other bands than {bands}; take others, or pass another")


def _sized(config: ExperimentConfig, shape: ViewShape, bands: int) -> tuple[ExperimentConfig, tuple[int, int]]:
    """Size networks for frames, and find the size that their layers need: that of the frames, or somewhat more."""
    free = {name: network.model_copy(update={"input_size": None}) for name, network in config.model.items()}
    config = config.model_copy(update={"model": free})
    shape = replace(shape, nbands=shape.nbands | {config.dataset.target: bands})

    def fit(height: int, width: int) -> ExperimentConfig:
        height, width = config.experiment.at_once(height, width)
        return sized(config, replace(shape, height=height, width=width))

    def fits(side: int) -> bool:
        try:
            return bool(fit(side, side))
        except ConfigError:
            return False

    def extended(side: int) -> int:
        return next(filter(fits, range(side, side + MOST_ADDED)), side)

    height, width = extended(shape.height), extended(shape.width)
    return fit(height, width), (height, width)


def _generate(experiment: Translator, series: Batch, size: tuple[int, int]) -> Generated:
    """Generate a series of frames that are extended below and at the right by what is at their edge."""
    source = series["source"]
    height, width = source.shape[-2:]
    if size != (height, width):
        series["source"] = functional.pad(source, (0, size[1] - width, 0, size[0] - height), mode="replicate")
    with torch.no_grad():
        made = generate(experiment, series)
    return Generated(
        **{name: None if part is None else part[..., :height, :width] for name, part in vars(made).items()}
    )


def _on_disk(frames: Tensor) -> NDArray[np.float32]:
    return frames.movedim(1, -1).contiguous().numpy()  # (T, C, H, W) -> (T, H, W, C)
