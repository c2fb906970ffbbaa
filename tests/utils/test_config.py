"""Configuration files: inheritance, and every problem named at once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from src.toygeneration.config_files import DerivationConfig, GenerationConfig
from tests.conftest import CLOUDS, DERIVATION, GENERATION, change
from utils import config as configuration
from utils.errors import ConfigError

MAPPING = st.recursive(
    st.none() | st.integers() | st.lists(st.integers(), max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("abcd"), inner, max_size=4),
    max_leaves=10,
)
TOP = st.dictionaries(st.sampled_from("abcd"), MAPPING, max_size=4)


def leaves(mapping: dict, path: tuple = ()) -> dict[tuple, Any]:
    found = {}
    for key, value in mapping.items():
        found |= leaves(value, (*path, key)) if isinstance(value, dict) and value else {(*path, key): value}
    return found


@given(TOP, TOP)
def test_merging_keeps_what_is_over_and_adds_what_is_only_below(base: dict, over: dict) -> None:
    before = repr(base), repr(over)
    merged = configuration.merge(base, over)
    assert (repr(base), repr(over)) == before
    for path, value in leaves(over).items():
        place: Any = merged
        for key in path:
            place = place[key]
        if value != {}:
            assert place == value
    assert set(merged) == set(base) | set(over)


@given(TOP)
def test_merging_with_itself_or_nothing_changes_nothing(mapping: dict) -> None:
    assert configuration.merge(mapping, mapping) == mapping
    assert configuration.merge({}, mapping) == mapping
    assert configuration.merge(mapping, {}) == mapping


def test_a_chain_of_bases_in_other_folders(write_yaml: Callable[..., Path]) -> None:
    write_yaml({"a": {"x": 1, "y": 1}, "b": 1, "c": {"name": "n"}}, "base/root.yaml")
    write_yaml({"base": "base/root.yaml", "a": {"y": 2}}, "middle.yaml")
    path = write_yaml({"base": "../middle.yaml", "b": None, "d": [1]}, "deep/leaf.yaml")
    assert configuration.load(path) == {"a": {"x": 1, "y": 2}, "b": None, "c": {"name": "n"}, "d": [1]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1", "not valid YAML"),
        ("- 1\n- 2", "found a list, expected a mapping"),
        ("a: 1\nb: 2\na: 3", "key 'a' is given twice"),
        ("base: 3", "base: found 3, expected the path of a YAML file, or a list of them"),
        ("base: [config.yaml, {}]", "base: found .*, expected the path of a YAML file, or a list of them"),
        (
            "base: missing.yaml",
            "missing.yaml: no such file, expected .* YAML .the 'base' of .*config.yaml",
        ),
        ("base: config.yaml", "inherits from itself"),
        ('base: "a\\0b"', "not a path, expected .* YAML .the 'base' of"),
        ("over: [base.yaml]", "over: found .*, expected YAML files, each with keys and values"),
        ("over: {config.yaml: 3}", "over: found .*, expected YAML files, each with keys and values"),
        ("over: {missing.yaml: {a: 1}}", "over: found 'missing.yaml', expected a YAML file, relative to this one"),
        ("a: !!python/object/apply:os.system ['true']", "not valid YAML"),
        ("\x00", "not valid YAML"),
    ],
)
def test_malformed_files(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        configuration.load(path)


def test_what_is_no_file_is_a_wrong_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="found a folder, expected a configuration file in YAML"):
        configuration.load(tmp_path)


def test_later_files_and_bases_are_merged_over_earlier_ones(write_yaml: Callable[..., Path]) -> None:
    one = write_yaml({"a": {"x": 1, "y": 1, "z": 1}, "b": 1}, "one.yaml")
    two = write_yaml({"a": {"y": 2, "z": 2}}, "two.yaml")
    both = write_yaml({"base": ["one.yaml", "two.yaml"], "a": {"z": 3}}, "both.yaml")
    assert configuration.load([one, two]) == {"a": {"x": 1, "y": 2, "z": 2}, "b": 1}
    assert configuration.load(both) == {"a": {"x": 1, "y": 2, "z": 3}, "b": 1}
    assert configuration.load([two, one]) == {"a": {"x": 1, "y": 1, "z": 1}, "b": 1}
    with pytest.raises(ConfigError, match=r"one.yaml, .*two.yaml: .*unknown key 'a'"):
        configuration.read(GenerationConfig, [one, two])


def test_what_several_are_based_on_lies_under_all_of_them(write_yaml: Callable[..., Path]) -> None:
    write_yaml({"a": {"x": 0, "y": 0}, "b": 0}, "root.yaml")
    one = write_yaml({"base": "root.yaml", "a": {"x": 1}, "b": 1}, "one.yaml")
    two = write_yaml({"base": "root.yaml", "a": {"y": 2}}, "two.yaml")
    both = write_yaml({"base": ["one.yaml", "two.yaml"]}, "both.yaml")
    for paths in (both, [one, two], [two, one]):
        assert configuration.load(paths) == {"a": {"x": 1, "y": 2}, "b": 1}


def test_a_base_of_many_is_read_once(write_yaml: Callable[..., Path]) -> None:
    for number in range(1, 20):
        write_yaml({"base": [f"{number - 1}.yaml"] * 20, "a": number}, f"{number}.yaml")
    write_yaml({"a": 0, "b": 0}, "0.yaml")
    assert configuration.load(write_yaml({"base": "19.yaml"})) == {"a": 19, "b": 0}


def test_a_scale_lies_over_the_files_that_it_names(write_yaml: Callable[..., Path]) -> None:
    """Wherever they are read, under what their heirs say; and a scale may differ from another."""
    write_yaml({"a": {"size": 256, "depth": 8}}, "base/network.yaml")
    heir = write_yaml({"base": "base/network.yaml", "a": {"depth": 9}}, "heir.yaml")
    plain = write_yaml({"a": {"size": 256}}, "plain.yaml")
    small = write_yaml({"over": {"base/network.yaml": {"a": {"size": 64, "depth": 4}}}}, "small.yaml")
    tiny = write_yaml({"base": "../small.yaml", "over": {"../base/network.yaml": {"a": {"size": 8}}}}, "more/tiny.yaml")
    assert configuration.load(heir) == {"a": {"size": 256, "depth": 9}}
    assert configuration.load([heir, small]) == {"a": {"size": 64, "depth": 9}}
    assert configuration.load([heir, tiny]) == {"a": {"size": 8, "depth": 9}}
    assert configuration.load([plain, tiny]) == {"a": {"size": 256}}


def test_a_base_may_lie_at_home(write_yaml: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    home = write_yaml({"a": 1}, "home/base.yaml").parent
    monkeypatch.setenv("HOME", str(home))
    assert configuration.load(write_yaml({"base": "~/base.yaml"})) == {"a": 1}


def problems(model: type[BaseModel], content: dict) -> str:
    with pytest.raises(ConfigError) as error:
        configuration.validate(model, content, "file.yaml")
    assert "\n" not in str(error.value)
    return str(error.value)


def test_all_problems_are_reported_at_once_with_place_and_remedy() -> None:
    content = change(
        GENERATION,
        product__horizont=30,
        product__n_polygons=0,
        random_sampler__kernel__length_scale=-1,
        ts__path="nowhere/data.ts",
        seed="seven",
    )
    del content["product"]["horizon"]
    message = problems(GenerationConfig, content)
    assert message.startswith("file.yaml: 6 problems: ")
    for part in (
        "unknown key 'product.horizont' (did you mean 'horizon'?)",
        "missing key 'product.horizon'",
        "product.n_polygons: found 0, expected greater than or equal to 1",
        "random_sampler.kernel.length_scale: found -1, expected greater than or equal to 0.001",
        "ts.path: nowhere/data.ts: no such file, expected a .ts time series file",
        "seed: found 'seven', expected a valid integer",
    ):
        assert part in message


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"random_sampler__name": "gaussian_proces"}, "did you mean 'gaussian_process'?), expected one of gaussian, g"),
        ({"random_sampler": {"std": 1.0}}, "random_sampler: missing key 'name', expected one of gaussian, gaussian_"),
        ({"random_sampler__kernel__name": "matern"}, "random_sampler.kernel: unknown name 'matern', expected one of"),
        ({"random_sampler": "gaussian"}, "random_sampler: found 'gaussian', expected"),
        ({"ts__ndim": 2}, "product: nbands: found 3, expected ts.ndim = 2"),
        ({"ts__dims": [0, 1]}, "ts.dims: found 2 bands, expected ts.ndim = 3"),
        ({"ts__dims": [0, 1, 1]}, "expected each band once"),
        ({"ts__path": "sktime:BasicMotion"}, "did you mean 'BasicMotions'?); it ships"),
        ({"astype": "jpg", "ts__ndim": 4, "product__nbands": 4}, "jpg holds 3 bands, found 4"),
        ({"astype": "png"}, "astype: found 'png', expected 'h5' or 'jpg'"),
        ({"product__background_color": 256}, "background_color: found 256, expected less than or equal to 255"),
        ({"product__n_polygons": 40_000}, "expected less than or equal to 32767"),
        ({"product__n_polygons": 2.5}, "product.n_polygons: found 2.5, expected a valid integer"),
        ({"product__n_polygons": True}, "product.n_polygons: found True, expected a valid integer"),
        ({"product__size__width": "337"}, "product.size.width: found '337', expected a valid integer"),
        ({"product__border_width": float("nan")}, "expected a finite number"),
        ({"seed": -1}, "seed: found -1, expected greater than or equal to 0"),
        ({"product": None}, "product: found None, expected"),
    ],
)
def test_malformed_generation_files(changes: dict[str, Any], message: str) -> None:
    assert message in problems(GenerationConfig, change(GENERATION, **changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"corruption": CLOUDS | {"cloud_probability": 1.5}}, "corruption.cloud_probability: found 1.5, expected less"),
        ({"corruption": CLOUDS | {"mul": {"min": 2.0, "max": 1.0}}}, "corruption.mul: found min 2 above max 1"),
        ({"corruption": {"name": "fog"}}, "corruption: unknown name 'fog', expected one of cloud_and_brightness"),
        ({"deformation": {"name": "tangential_scale_distortion"}}, "missing key 'deformation.axis'"),
        (
            {"postprocess": {"name": "gamma_speckle", "looks": 0}},
            "postprocess.looks: found 0, expected greater than or equal to 0.001",
        ),
        (
            {"postprocess": {"name": "speckle", "salt_pepper_proportion": {"min": 0.1, "max": 1.2}}},
            "postprocess.salt_pepper_proportion.max: found 1.2, expected less than or equal to 1",
        ),
        ({"aggregation": {"name": "convolution", "kernel": {"sigm": 1}}}, "(did you mean 'sigma'?)"),
        ({"temporal_res": 0}, "temporal_res: found 0, expected greater than 0"),
        ({"target_size": {"width": 3}}, "missing key 'target_size.height'"),
    ],
)
def test_malformed_derivation_files(changes: dict[str, Any], message: str) -> None:
    assert message in problems(DerivationConfig, change(DERIVATION, **changes))


def test_conflicts_between_keys_are_reported_beside_other_problems() -> None:
    content = change(GENERATION, product__nbands=2, random_sampler__kernel__length_scale=0, ts__dims=[0], seed=-1)
    message = problems(GenerationConfig, content)
    for part in ("length_scale: found 0", "ts.dims: found 1 bands", "seed: found -1"):
        assert part in message
    message = problems(GenerationConfig, change(GENERATION, product__nbands=2, seed=-1))
    assert "product: nbands: found 2, expected ts.ndim = 3" in message
    assert "seed: found -1" in message


def test_the_published_files_values_are_accepted() -> None:
    """Clouds switched off by three zeros, an empty growth rate, a standard deviation beside a kernel."""
    off = {"cloud_density": 0.0, "cloud_sparsity": 0.0, "cloud_probability": 0.0, "seed": 17}
    shape = {"image_width": 337, "image_height": 256, "mesh_columns_cells": 6, "mesh_rows_cells": 6, "axis": 1}
    shape |= {"name": "tangential_scale_distortion", "growth_rate": None}
    configuration.validate(DerivationConfig, DERIVATION | {"corruption": CLOUDS | off, "deformation": shape}, "x.yaml")
    sampler = {"name": "gaussian_process", "std": 1.0, "kernel": {"name": "rbf", "length_scale": 2.5}}
    content = change(GENERATION, random_sampler=sampler, ts__reference_dataset_path=None)
    configuration.validate(GenerationConfig, content, "x.yaml")


def test_keys_of_another_transform_are_mistakes() -> None:
    speckle = {"name": "speckle", "salt_pepper_proportion": {"min": 0.1, "max": 0.2}, "looks": 4}
    assert "unknown key 'postprocess.looks'" in problems(DerivationConfig, DERIVATION | {"postprocess": speckle})


def test_empty_sections_are_none() -> None:
    sections = ("corruption", "deformation", "postprocess", "aggregation")
    for empty in (None, {}, ""):
        config = DerivationConfig.model_validate(DERIVATION | dict.fromkeys(sections, empty))
        assert [getattr(config, section) for section in sections] == [None] * 4


def test_keys_of_other_entries_are_left_out_and_summed_up_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    kernel = {"name": "rbf", "length_scale": 2.5, "alpha": 1.0, "periodicity": 3.0, "constant_value": 1.0}
    sampler = {"name": "gaussian_process", "std": 1.0, "kernel": kernel}
    config = configuration.validate(GenerationConfig, change(GENERATION, random_sampler=sampler), "x.yaml")
    assert config.random_sampler.kernel.length_scale == 2.5
    assert caplog.messages == [
        "x.yaml: keys that are not used and ignored: std (not of 'gaussian_process'); "
        "alpha, constant_value, periodicity (not of 'rbf')"
    ]
