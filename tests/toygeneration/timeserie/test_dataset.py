"""Scaling, grouping and drawing of time series."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.toygeneration.timeserie.dataset import TSDataset, _group
from src.toygeneration.timeserie.ts_file import read, resolve
from src.toygeneration.timeserie.ts_format import Cases
from tests.conftest import make_dataset
from tests.toygeneration.timeserie.ts_text import text
from utils.errors import ConfigError, DataError

BASIC_MOTIONS = resolve("sktime:BasicMotions")
VOWELS = resolve("sktime:JapaneseVowels")


def write(folder: Path, name: str, series: list[np.ndarray], labels: list[str]) -> Path:
    path = folder / name
    path.write_text(text(Cases(series, labels)))
    return path


def test_each_band_fills_0_to_1_over_all_files_and_cases() -> None:
    dataset = TSDataset.from_files(BASIC_MOTIONS, ndim=3, nclass=2)
    raw = [case[:, :3] for file in BASIC_MOTIONS for case in read(file).series]
    stacked, everything = np.concatenate(dataset.series), np.concatenate(raw)
    assert np.allclose(stacked.min(axis=0), 0)
    assert np.allclose(stacked.max(axis=0), 1)
    for band in range(3):
        slope, offset = np.polyfit(everything[:, band], stacked[:, band], 1)
        assert slope > 0
        assert np.allclose(slope * everything[:, band] + offset, stacked[:, band], atol=1e-5)


def test_files_are_scaled_together(tmp_path: Path) -> None:
    low, high = np.array([[0.0], [1.0]]), np.array([[3.0], [4.0]])
    files = [write(tmp_path, "a.ts", [low], ["grass"]), write(tmp_path, "b.ts", [high], ["wheat"])]
    dataset = TSDataset.from_files(files, ndim=1, nclass=2)
    assert np.allclose([case.ravel() for case in dataset.series], [[0, 0.25], [0.75, 1]])


def test_bands_are_the_first_ones_or_those_picked() -> None:
    everything = TSDataset.from_files(BASIC_MOTIONS, ndim=6, nclass=4)
    first = TSDataset.from_files(BASIC_MOTIONS, ndim=2, nclass=4)
    picked = TSDataset.from_files(BASIC_MOTIONS, ndim=3, nclass=4, dims=[5, 0, 3])
    for a, b, c in zip(everything.series, first.series, picked.series, strict=True):
        assert np.array_equal(a[:, :2], b)
        assert np.array_equal(a[:, [5, 0, 3]], c)


@given(st.lists(st.sampled_from("abcdefghij"), min_size=1, max_size=30), st.data())
def test_labels_are_cut_into_nearly_equal_consecutive_groups(labels: list[str], data: st.DataObject) -> None:
    known = sorted(set(labels))
    nclass = data.draw(st.integers(1, len(known)))
    groups = _group(labels, nclass)
    by_label = dict(zip(labels, groups.tolist(), strict=True))
    ordered = [by_label[label] for label in known]
    assert ordered == sorted(ordered)
    assert set(ordered) == set(range(1, nclass + 1))
    sizes = Counter(ordered).values()
    assert max(sizes) - min(sizes) <= 1
    assert all(by_label[label] == group for label, group in zip(labels, groups, strict=True))


def test_numbers_are_sorted_by_value() -> None:
    assert _group(["10", "9", "1", "2"], 4).tolist() == [4, 3, 1, 2]


def test_labels_that_only_look_like_numbers_are_words() -> None:
    assert _group(["nan", "inf", "b", "2", "1"], 5).tolist() == [5, 4, 3, 2, 1]


def test_too_much_asked_for_is_named() -> None:
    with pytest.raises(ConfigError, match="ts.nclass: found 5, but the time series have 4 classes"):
        TSDataset.from_files(BASIC_MOTIONS, ndim=3, nclass=5)
    with pytest.raises(ConfigError, match="ts.ndim: found 7, but the time series have 6 bands"):
        TSDataset.from_files(BASIC_MOTIONS, ndim=7, nclass=2)
    with pytest.raises(ConfigError, match="ts.dims: found 6, but the time series have 6 bands, numbered 0 to 5"):
        TSDataset.from_files(BASIC_MOTIONS, ndim=2, nclass=2, dims=[0, 6])
    with pytest.raises(ConfigError, match="the longest horizon that works is 100"):
        TSDataset.from_files(BASIC_MOTIONS, ndim=3, nclass=2).check_horizon(101)
    with pytest.raises(DataError, match="found 6 to 12 bands"):
        TSDataset.from_files([*BASIC_MOTIONS, *VOWELS], ndim=3, nclass=2)


def test_a_constant_band_is_named(tmp_path: Path) -> None:
    flat = np.column_stack([np.arange(4.0), np.ones(4)])
    path = write(tmp_path, "flat.ts", [flat, flat], ["grass", "wheat"])
    with pytest.raises(ConfigError, match="band 1 of the time series has the same value everywhere"):
        TSDataset.from_files([path], ndim=2, nclass=2)
    assert TSDataset.from_files([path], ndim=1, nclass=2).series[0].shape == (4, 1)


def test_the_longest_horizon_is_that_of_the_class_with_the_shortest_series() -> None:
    dataset = TSDataset.from_files(VOWELS, ndim=12, nclass=9)
    lengths = np.array([len(case) for case in dataset.series])
    works = min(lengths[dataset.classes == number].max() for number in range(1, 10))
    dataset.check_horizon(works)
    with pytest.raises(ConfigError, match=f"the longest horizon that works is {works}"):
        dataset.check_horizon(works + 1)


def test_windows_are_pieces_of_long_enough_cases_of_the_class() -> None:
    dataset, rng = TSDataset.from_files(VOWELS, ndim=12, nclass=3), np.random.default_rng(0)
    for number in (1, 2, 3):
        pieces = {
            case[start : start + 15].tobytes()
            for case, group in zip(dataset.series, dataset.classes, strict=True)
            if group == number
            for start in range(len(case) - 14)
        }
        for _ in range(50):
            window = dataset.draw(number, 15, rng=rng)
            assert window.shape == (15, 12)
            assert window.tobytes() in pieces


def test_case_and_start_are_uniform() -> None:
    dataset, rng = make_dataset(horizon=5, cases=6), np.random.default_rng(0)
    places = {
        case[start : start + 3].tobytes(): (index, start)
        for index, case in enumerate(dataset.series)
        for start in range(3)
    }
    drawn = Counter(places[dataset.draw(2, 3, rng=rng).tobytes()] for _ in range(9000))
    assert set(drawn) == {(index, start) for index in (1, 3, 5) for start in range(3)}
    assert max(abs(count - 1000) for count in drawn.values()) < 5 * np.sqrt(1000)


def held_out(share: float = 0.25, nclass: int = 4, **bands: object) -> TSDataset:
    return TSDataset.from_files(BASIC_MOTIONS, nclass=nclass, held_out=share, **{"ndim": 3} | bands)


@given(st.floats(0.05, 0.95), st.integers(1, 4))
def test_each_class_holds_out_its_share(share: float, nclass: int) -> None:
    dataset = held_out(share, nclass)
    for number in range(1, nclass + 1):
        of_class = dataset.held_out[dataset.classes == number]
        assert abs(of_class.sum() - share * len(of_class)) <= 0.5
        assert 0 < of_class.sum() < len(of_class)


def test_sensors_with_corresponding_cases_hold_out_the_same_ones() -> None:
    one, other = held_out(), held_out(dims=[5, 3])
    assert one.series[0].shape != other.series[0].shape
    assert np.array_equal(one.held_out, other.held_out)


def test_bands_are_scaled_by_the_cases_that_are_not_held_out() -> None:
    dataset = held_out()
    raw = [case[:, :3] for file in BASIC_MOTIONS for case in read(file).series]
    known = [case for case, apart in zip(raw, dataset.held_out, strict=True) if not apart]
    low, high = np.concatenate(known).min(axis=0), np.concatenate(known).max(axis=0)
    for case, scaled in zip(raw, dataset.series, strict=True):
        assert np.allclose(scaled, (case - low) / (high - low), atol=1e-6)


def test_no_window_is_drawn_on_both_sides() -> None:
    dataset, rng = held_out(), np.random.default_rng(0)
    for side in (False, True):
        cases = {
            case[start : start + 30].tobytes(): index
            for index, case in enumerate(dataset.series)
            for start in range(len(case) - 29)
        }
        drawn = {cases[dataset.draw(2, 30, held_out=side, rng=rng).tobytes()] for _ in range(500)}
        assert drawn == set(np.flatnonzero((dataset.classes == 2) & (dataset.held_out == side)))


def test_a_side_without_a_case_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"share: found 0.01, which holds out 0 of the 20 series of class 1, expected"
    ):
        held_out(0.01)
    with pytest.raises(ConfigError, match=r"holds out 20 of the 20 series of class 1"):
        held_out(0.99)
    rng = np.random.default_rng(0)
    path = write(tmp_path, "two.ts", [rng.random((steps, 1)) for steps in (9, 5)], ["grass"] * 2)
    two = TSDataset.from_files([path], ndim=1, nclass=1, held_out=0.5)
    two.check_horizon(5)
    with pytest.raises(ConfigError, match="class 1 has no (held-out )?series that long; the longest .* works is 5"):
        two.check_horizon(6)
