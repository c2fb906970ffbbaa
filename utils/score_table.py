"""Collect the test_scores.json of several experiments and seeds into one table, as Markdown and as CSV.

Each row is an experiment: means over its seeds, ± the half-width of their 95 % confidence interval (Student's t) where
there are two or more. Published figures stand beside those of experiments on data of the published size.
"""

import argparse
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:  # run as a script, Python looks for modules beside the script
    sys.path.insert(0, str(ROOT))

from utils.cli import Parser, run  # noqa: E402
from utils.errors import DataError  # noqa: E402

FILE = "test_scores.json"
ORIGINAL = {
    "test_mae": "MAE",
    "test_mse": "MSE",
    "test_psnr": "PSNR (dB)",
    "test_ssim": "SSIM",
    "test_sam": "SAM (half turns)",
    "test_jaccard_generated_samples": "Jaccard generated",
    "test_jaccard_real_samples": "Jaccard real",
    "test_jaccard_ratio": "ratio",
}
REFLECTANCE = {
    "mae": "MAE",
    "rmse": "RMSE",
    "rmse_cloudy": "RMSE, cloudy",
    "rmse_clear": "RMSE, clear",
    "psnr": "PSNR (dB)",
    "ssim": "SSIM",
    "sam": "SAM (degrees)",
    "correlation": "correlation in time",
    "jaccard_generated": "Jaccard generated",
    "jaccard_real": "Jaccard real",
    "jaccard_ratio": "ratio",
}
# Means over five seeds: science of the published repository, 250 views of 256 x 256 pixels and 30 steps.
PUBLISHED_SIZE = {"height": 256, "width": 256, "horizon": 30}
PUBLISHED_VIEWS = 250
PUBLISHED = {
    "cgan_toy_cloud_removal": (0.246, 0.129, 17.9, 0.687, 0.174, 0.493, 0.993, 0.496),
    "cgan_frame_recurrent_toy_cloud_removal": (0.200, 0.074, 21.2, 0.825, 0.147, 0.553, 0.993, 0.556),
    "cgan_toy_cloud_removal_upper_bound": (0.043, 0.003, 31.8, 0.99, 0.092, 0.980, 0.993, 0.986),
}
Scores = dict[str, Any]


def build_parser() -> Parser:
    """Describe the command line."""
    parser = Parser(__doc__)
    parser.add_argument(
        "scores", type=Path, nargs="+", metavar="PATH", help=f"{FILE}, or a folder in which to look for such files"
    )
    parser.add_argument("--o", type=Path, metavar="DIR", help="folder for scores.md and scores.csv (default: print)")
    return parser


def main(arguments: argparse.Namespace) -> None:
    """Collect."""
    groups = group([read(file) for path in arguments.scores for file in find(path)])
    if arguments.o is None:
        print(markdown(groups))
    else:
        write(groups, arguments.o)


def write(groups: dict[tuple[str, str], list[Scores]], folder: Path) -> None:
    """Write the table as `scores.md` and `scores.csv`.

    Args:
        groups: see `group`.
        folder: where to.
    """
    from utils.files import new_file
    from utils.tables import write_csv

    with new_file(folder / "scores.md") as temporary:
        temporary.write_text(markdown(groups) + "\n", encoding="utf-8")
    write_csv(folder / "scores.csv", records(groups))


def find(path: Path) -> list[Path]:
    """List the score files that a path stands for.

    Args:
        path: a file, or a folder to search.

    Returns:
        The files, sorted.

    Raises:
        DataError: If there is none.
    """
    found = sorted(path.rglob(FILE)) if path.is_dir() else [path] if path.is_file() else []
    if not found:
        raise DataError(f"{path}: found no {FILE}; run run_testing.py, or correct the path")
    return found


def read(path: Path) -> Scores:
    """Read a score file.

    Args:
        path: the file.

    Returns:
        Its content.

    Raises:
        DataError: If it is not one.
    """
    try:
        scores = json.loads(path.read_text(encoding="utf-8"))
        missing = [key for key in (*ORIGINAL, "reflectance", "about") if key not in scores]
    except (ValueError, TypeError) as error:
        raise DataError(f"{path}: not a score file ({error}); run run_testing.py again") from error
    if missing:
        raise DataError(f"{path}: not a score file (key {missing[0]!r} is missing); run run_testing.py again")
    return scores


def group(scores: Sequence[Scores]) -> dict[tuple[str, str], list[Scores]]:
    """Put the seeds of an experiment together.

    Args:
        scores: contents of score files.

    Returns:
        The scores by data set and experiment, the best ratio first in each data set.

    Raises:
        DataError: If a seed of an experiment is there twice, or one data set's scores are of different test views.
    """
    groups: dict[tuple[str, str], list[Scores]] = {}
    for content in scores:
        about = content["about"]
        groups.setdefault((about["dataset"], about["experiment"]), []).append(content)
    for (dataset, experiment), members in groups.items():
        seeds = [content["about"]["seed"] for content in members]
        twice = [seed for seed in seeds if seeds.count(seed) > 1]
        if twice:
            raise DataError(f"{experiment}: found two files of seed {twice[0]}; leave one out")
        data = {content["about"]["data"] for name in groups if name[0] == dataset for content in groups[name]}
        if len(data) > 1:
            raise DataError(f"{dataset}: found scores of {len(data)} different sets of views; collect one at a time")
    return dict(sorted(groups.items(), key=lambda item: (item[0][0], -mean_of(item[1], "test_jaccard_ratio"))))


def value(scores: Scores, key: str) -> float:
    """Look up one score.

    Args:
        scores: content of a score file.
        key: `test_…`, or a score of the reflectance protocol.

    Returns:
        The value; NaN where it is undefined.
    """
    found = scores[key] if key in ORIGINAL else scores["reflectance"][key]["mean"]
    return math.nan if found is None else float(found)


def mean_of(members: Sequence[Scores], key: str) -> float:
    """Average a score over seeds.

    Args:
        members: one for each seed.
        key: see `value`.

    Returns:
        The mean.
    """
    return sum(value(scores, key) for scores in members) / len(members)


def half_width(values: Sequence[float]) -> float:
    """Say how far the mean of some seeds may be from that of all.

    Args:
        values: one for each seed.

    Returns:
        Half the width of the 95 % confidence interval by Student's t; NaN for a single seed.
    """
    from statistics import stdev

    from scipy.stats import t

    if len(values) < 2 or not all(map(math.isfinite, values)):
        return math.nan
    return float(t.ppf(0.975, len(values) - 1)) * stdev(values) / math.sqrt(len(values))


def records(groups: dict[tuple[str, str], list[Scores]]) -> list[dict[str, Any]]:
    """Make the rows of the CSV file.

    Args:
        groups: see `group`.

    Returns:
        For each experiment: data set, seeds, and mean and half-width of each score, NaN where undefined.
    """
    rows = []
    for (dataset, experiment), members in groups.items():
        row: dict[str, Any] = {"dataset": dataset, "experiment": experiment, "seeds": len(members)}
        for key in (*ORIGINAL, *REFLECTANCE):
            row[key] = mean_of(members, key)
            row[f"{key}_±"] = half_width([value(scores, key) for scores in members])
        rows.append(row)
    return rows


def markdown(groups: dict[tuple[str, str], list[Scores]]) -> str:
    """Make the tables: one for each data set and protocol.

    Args:
        groups: see `group`.

    Returns:
        Markdown.
    """
    parts = []
    for dataset in dict.fromkeys(name for name, _ in groups):
        chosen = {experiment: members for (name, experiment), members in groups.items() if name == dataset}
        about = next(iter(chosen.values()))[0]["about"]
        pixels = f"{about['width']} × {about['height']} pixels, {about['horizon']} steps"
        size = f"{about['views']['test']} test views of {pixels}"
        judged = f"land cover by {about['classifier']}"
        parts.append(f"## {dataset}: {size}, {judged}\n")
        parts.append(f"Reflectance protocol\n\n{_table(chosen, REFLECTANCE, published=False)}\n")
        parts.append(f"Original protocol (network scale)\n\n{_table(chosen, ORIGINAL, published=comparable(about))}\n")
    return "\n".join(parts).rstrip()


def comparable(about: Scores) -> bool:
    """Say whether scores may stand beside published ones.

    Args:
        about: where the scores are from.

    Returns:
        True if frames, series and number of views are of the published size.
    """
    size = {key: about[key] for key in PUBLISHED_SIZE}
    return size == PUBLISHED_SIZE and sum(about["views"].values()) == PUBLISHED_VIEWS


def _table(chosen: dict[str, list[Scores]], columns: dict[str, str], *, published: bool) -> str:
    lines = [f"| experiment | seeds | {' | '.join(columns.values())} |", "|---" * (len(columns) + 2) + "|"]
    for experiment, members in chosen.items():
        cells = [_cell([value(scores, key) for scores in members]) for key in columns]
        lines.append(f"| {experiment} | {len(members)} | {' | '.join(cells)} |")
        if published and experiment in PUBLISHED:
            lines.append(f"| *published* | *5* | {' | '.join(f'*{number:g}*' for number in PUBLISHED[experiment])} |")
    return "\n".join(lines)


def _cell(values: Sequence[float]) -> str:
    mean, half = sum(values) / len(values), half_width(values)
    if math.isnan(mean):
        return "–"
    places = digits(mean)
    return f"{mean:.{places}f}" + ("" if math.isnan(half) else f" ± {half:.{places}f}")


def digits(value: float) -> int:
    """Choose the number of decimals to show.

    Args:
        value: a score.

    Returns:
        1 from 10 on, else 3.
    """
    return 1 if abs(value) >= 10 else 3


if __name__ == "__main__":
    sys.exit(run(build_parser(), main))
