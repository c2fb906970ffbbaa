"""Where .ts files are found, and that ours is the reading of other people's readers."""

from pathlib import Path

import numpy as np
import pytest
from sktime.datasets import load_from_tsfile

from src.toygeneration.timeserie.ts_file import read, resolve
from tests.conftest import REAL_DATA
from utils.errors import DataError

PUBLISHED = sorted(REAL_DATA.glob("Multivariate_ts/*/*.ts"))
SHIPPED = [*resolve("sktime:BasicMotions"), *resolve("sktime:JapaneseVowels")]


@pytest.mark.parametrize("path", [*SHIPPED, *PUBLISHED], ids=lambda path: path.stem)
def test_values_and_labels_are_sktimes_to_the_last_bit(path: Path) -> None:
    frame, labels = load_from_tsfile(str(path), return_data_type="nested_univ")
    found = read(path)
    assert found.labels == labels.tolist()
    for row, case in zip(frame.itertuples(index=False, name=None), found.series, strict=True):
        assert np.array_equal(np.stack(row, axis=1), case)


@pytest.mark.skipif(not PUBLISHED, reason="the published time series are not beside the repository")
@pytest.mark.parametrize(("name", "cases", "bands", "steps"), [("RacketSports", 303, 6, 30), ("Epilepsy", 275, 3, 206)])
def test_published_data_sets(name: str, cases: int, bands: int, steps: int) -> None:
    series = [case for path in PUBLISHED if path.parent.name == name for case in read(path).series]
    assert len(series) == cases
    assert {case.shape for case in series} == {(steps, bands)}


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("none.ts", "none.ts: no such file, expected a .ts time series file .*download_time_series_dataset.py"),
        (".", "found a folder"),
        *[(f"sktime:{name}", "ships no data set of that name") for name in ("", "Nothing", "../BasicMotions", "yahoo")],
    ],
)
def test_missing_files(path: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        resolve(path)


def test_a_malformed_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.ts"
    path.write_text("@classLabel true a\n@data\n1,2:b\n")
    with pytest.raises(DataError, match="mine.ts: line 3, case 1 has label 'b', .*correct the file"):
        read(path)
