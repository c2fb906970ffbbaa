"""Generation and derivation files that went wrong end in one line, whatever went wrong."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from src.toygeneration.config_files import DerivationConfig, GenerationConfig
from src.toygeneration.run import derive, generate
from tests import mutating
from tests.conftest import CLOUDS, DERIVATION, DISTORTION, GENERATION, MOVING_CLOUDS, change, derivation, generation
from utils import memory
from utils.config import read, validate
from utils.errors import ConfigError, UsageError

GAUSSIAN = change(
    GENERATION,
    random_sampler={"name": "gaussian", "std": 0.1},
    ts__dims=[0, 2, 4],
    ts__held_out={"views": "1-3,7", "share": 0.5},
    texture="own",
)
OPTICAL = change(
    DERIVATION,
    corruption=CLOUDS | {"seed": 1},
    deformation=DISTORTION | {"image_width": 48, "image_height": 32, "growth_rate": None},
    aggregation={"name": "convolution", "kernel": {"sigma": 1.0}, "latent_size": {"width": 37, "height": 32}},
    target_size={"width": 37, "height": 16},
)
SAR = change(DERIVATION, postprocess={"name": "gamma_speckle", "looks": 4})
MOVING = change(
    DERIVATION,
    corruption=MOVING_CLOUDS | {"sensitivity": {"cirrus": [0.2, 0.5, 1]}, "world": 2},
    lost={"share": 0.3},
    misregistration={"deviation": 0.5},
)
GENERATIONS, DERIVATIONS = st.sampled_from([GENERATION, GAUSSIAN]), st.sampled_from([OPTICAL, SAR, MOVING])


def run(work: Callable[[Path], object], cfg: Path) -> None:
    """Do the work; where the configuration forbids it, one short line must say so."""
    try:
        work(cfg)
    except UsageError as error:
        line = str(error)
        assert line.isprintable() and len(line) < 3100, line  # noqa: PT018 - either outcome is right


@settings(max_examples=25)
@given(st.data())
def test_damaged_generation_files_are_named_or_work(tmp_path: Path, data: st.DataObject) -> None:
    cfg = tmp_path / "cfg.yaml"
    cfg.write_text(yaml.safe_dump(data.draw(GENERATIONS.flatmap(mutating.mappings))))
    run(lambda cfg: generate(cfg, tmp_path / "made", overwrite=True), cfg)


@settings(max_examples=25)
@given(st.data())
def test_damaged_derivation_files_are_named_or_work(tmp_path: Path, product_folder: Path, data: st.DataObject) -> None:
    cfg = tmp_path / "cfg.yaml"
    cfg.write_text(yaml.safe_dump(data.draw(DERIVATIONS.flatmap(mutating.mappings))))
    run(lambda cfg: derive(cfg, tmp_path / "made", product=product_folder, overwrite=True), cfg)


@given(st.sampled_from([(GenerationConfig, GAUSSIAN), (DerivationConfig, OPTICAL)]), st.data())
def test_damaged_text_is_named_or_read(tmp_path: Path, kind: tuple, data: st.DataObject) -> None:
    model, content = kind
    cfg = tmp_path / "cfg.yaml"
    cfg.write_text(data.draw(mutating.texts(content)))
    run(lambda cfg: read(model, cfg), cfg)


@pytest.mark.parametrize("size", [(10**6, 10**6), (10**12, 1), (1, 10**30)])
def test_scenes_beyond_the_machine_are_refused_by_key(size: tuple[int, int]) -> None:
    content = change(GENERATION, product__size={"width": size[0], "height": size[1]})
    with pytest.raises(ConfigError, match=r"x.yaml: product: a scene of .* would take .* of memory, and .* are free"):
        validate(GenerationConfig, content, "x.yaml")


def test_parcels_beyond_the_machine_are_refused_by_key(monkeypatch: pytest.MonkeyPatch) -> None:
    sampler = generation().random_sampler
    with pytest.raises(ConfigError, match="random_sampler.kernel: the covariance of a parcel that is 10000000 pixels"):
        sampler.prepare(10**7)
    monkeypatch.setattr(memory, "available", lambda: None)
    sampler.prepare(10)


def test_home_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    home = Path(generation().ts.path[0].replace("sktime:", "/nowhere/"))
    monkeypatch.setenv("HOME", str(home.parent))
    assert derivation(latent_product_path="~/x").latent_product_path == "/nowhere/x"
    with pytest.raises(ConfigError, match="ts.path: /nowhere/BasicMotions: no such file"):
        validate(GenerationConfig, change(GENERATION, ts__path=["~/BasicMotions"]), "x.yaml")
