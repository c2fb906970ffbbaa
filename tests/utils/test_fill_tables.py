"""Tables of pages: each holds what its CSV file holds, as its comment says; what cannot be filled is named."""

import csv
import json
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.utils.scores import content, write
from utils import fill_tables, score_table
from utils.cli import run
from utils.comparison import compare
from utils.page_tables import END, START, TABLE, fill
from utils.scores import KNOCKED_OUT, ORIGINAL, PUBLISHED, TABLES
from utils.tables import write_csv

PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
ROWS = [
    {"method": "gan", "kind": "network", "seeds": 2, "level": 0.1, "ssim": 0.8, "ssim_low": 0.7, "ssim_high": 0.9},
    {"method": "rule", "kind": "baseline", "seeds": 1, "level": 0.1, "ssim": 0.6, "ssim_low": 0.5, "ssim_high": 0.75},
    {"method": "bound", "kind": "upper bound", "seeds": 1, "level": 0.1, "ssim": 0.9, "ssim_low": "", "ssim_high": ""},
    {"method": "gan", "kind": "network", "seeds": 2, "level": 60, "ssim": "", "ssim_low": "", "ssim_high": ""},
]


def page(folder: Path, comment: str, rows: list[dict[str, object]] = ROWS, table: str = "") -> Path:
    write_csv(folder / "x.csv", rows)
    file = folder / "page.md"
    file.write_text(f"before\n\n{START}file: x.csv\n{comment}\n{END}\n{table}\nafter\n")
    return file


def lines(file: Path) -> list[str]:
    return [line for line in fill(file).splitlines() if line.startswith("|") and "---" not in line]


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.name)
def test_tables_equal_the_files_they_were_made_from(file: Path) -> None:
    assert fill(file) == file.read_text(encoding="utf-8"), f"run python utils/fill_tables.py {file.relative_to(ROOT)}"


def test_all_tables_of_results_are_made_from_files() -> None:
    text = (ROOT / "docs/results.md").read_text(encoding="utf-8")
    assert not [line for line in TABLE.sub("", text).splitlines() if line.startswith("|")]


def test_the_published_file_has_what_reports_show_as_published() -> None:
    with (ROOT / "docs/results/published.csv").open() as stream:
        found = {row.pop("experiment"): row for row in csv.DictReader(stream)}
    keys = [score.key for score in TABLES[ORIGINAL]]
    assert {name: tuple(float(row[key]) for key in keys) for name, row in found.items()} == PUBLISHED


def test_a_changed_cell_a_lost_row_and_a_new_result_are_found(tmp_path: Path) -> None:
    file = page(tmp_path, "columns: [method, ssim]")
    right = fill(file)
    assert right.startswith("before\n\n")
    assert right.endswith("|\n\nafter\n")
    for wrong in (right.replace("0.600", "0.601"), right.replace("| rule | 0.600 |\n", ""), right):
        file.write_text(wrong)
        assert fill(file) == right
    page(tmp_path, "columns: [method, ssim]", [*ROWS, ROWS[1] | {"method": "other"}])
    assert "| other | 0.600 |" in fill(file)


def test_a_page_shows_what_its_comment_asks_for(tmp_path: Path) -> None:
    chosen = "where: {level: 0.1}\ncolumns: [method, ssim]"
    assert lines(page(tmp_path, chosen)) == [
        "| method | SSIM |",
        "| gan | 0.800 ± 0.100 |",
        "| rule | 0.600 |",
        "| bound *(reference)* | 0.900 |",
    ]
    assert "| rule | 0.600 [0.500, 0.750] |" in lines(page(tmp_path, f"{chosen}\nintervals: true"))
    named = "where: {kind: [network, baseline], level: 0.1}\ncolumns: [method: what, level, ssim: likeness]"
    assert lines(page(tmp_path, f"{named}\nrows: [rule: a rule of thumb, gan]")) == [
        "| what | level | likeness |",
        "| a rule of thumb | 0.1 | 0.600 |",
        "| gan | 0.1 | 0.800 ± 0.100 |",
    ]
    assert lines(page(tmp_path, "columns: [method, ssim: at]\nacross: level")) == [
        "| method | at 0.1 | at 60 |",
        "| gan | 0.800 ± 0.100 | – |",
        "| rule | 0.600 | – |",
        "| bound *(reference)* | 0.900 | – |",
    ]


def test_cells_are_those_of_the_table_of_scores(tmp_path: Path) -> None:
    """From the same score files: whatever is in the one is in the other."""
    for seed, value in enumerate((0.5, 0.75)):
        write(tmp_path / "in", value, f"cgan/{seed}", seed=seed)
    knocked_out = content(0.25, seed=7)
    interval = {"mean": 0.4, "low": 0.2, "high": 0.6, "count": 3}
    knocked_out["knock_outs"] = {"no sar": dict.fromkeys(KNOCKED_OUT, interval)}
    write(tmp_path / "in", 0.25, "rests", seed=7).write_text(json.dumps(knocked_out))
    arguments = [str(tmp_path / "in"), f"--csv={tmp_path / 'results'}"]
    assert run(score_table.build_parser(), score_table.main, arguments) == 0
    assert sorted(file.name for file in (tmp_path / "results").iterdir()) == ["knock_outs.csv", "scores.csv"]
    shown = score_table.markdown(compare((tmp_path / "in").rglob("*.json")))
    file = tmp_path / "page.md"
    for name, columns in (
        ("scores", ["method", "seeds", *(score.key for score in TABLES[ORIGINAL]), "told"]),
        ("knock_outs", ["method", "missing: what is missing", *KNOCKED_OUT]),
    ):
        file.write_text(f"{START}file: results/{name}.csv\ncolumns: [{', '.join(columns)}]\n{END}\n")
        assert len(lines(file)) == 3
        assert all(line in shown for line in lines(file))


@pytest.mark.parametrize(
    ("comment", "message"),
    [
        ("columns: [method, rmse]", "x.csv: found no column 'rmse', expected one of method, kind, seeds, level, ssim,"),
        ("columns: [ssim]\nwhere: {kind: netwrok}", "x.csv: found no row of the table's with netwrok in 'kind'"),
        ("columns: [method]\nrows: [gan, gone]", "x.csv: found no row of the table's with gone in 'method'"),
        ("columns: [method]\nfile: y.csv", "page.md: table 1: not YAML (key 'file' is given twice"),
        ("columns: [method]\ncolour: red", "page.md: table 1: unknown key 'colour'"),
        ("columns: []", "page.md: table 1: columns: "),
        ("where: {}", "page.md: table 1: missing key 'columns'"),
    ],
)
def test_what_cannot_be_filled_is_named_and_the_page_stays(
    comment: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = page(tmp_path, comment)
    before = file.read_text()
    assert run(fill_tables.build_parser(), fill_tables.main, [str(file)]) == 2
    assert message in capsys.readouterr().err
    assert file.read_text() == before


def test_a_file_of_words_and_a_comment_without_end_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = page(tmp_path, "columns: [ssim]", [ROWS[0] | {"ssim": "much"}])
    assert run(fill_tables.build_parser(), fill_tables.main, [str(wrong)]) == 2
    assert "x.csv: row 1: " in capsys.readouterr().err
    wrong.write_text(f"{START}file: x.csv\ncolumns: [method]\n")
    assert run(fill_tables.build_parser(), fill_tables.main, [str(wrong)]) == 2
    assert (
        "page.md: found a comment that starts with '<!-- table' without a line '-->' at its end"
        in capsys.readouterr().err
    )
