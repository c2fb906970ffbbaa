"""Draw finding.svg beside this file: Jaccard ratios of kinds of methods on the published data, from docs/results."""

import math
import sys
from dataclasses import replace
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from src.report.charts import Dot, alone, draw_dots  # noqa: E402
from src.report.tasks import LOOKS  # noqa: E402
from utils.intervals import Interval  # noqa: E402
from utils.page_tables import Record  # noqa: E402
from utils.scores import NETWORK, NO_GENERATION, PUBLISHED, RATIO  # noqa: E402
from utils.tables import read_rows  # noqa: E402

RESULTS, DATASET = HERE.parent / "results" / "full_size" / "scores.csv", "toy_cloud_removal"
NAMES = {
    "sequence_toy_uncertain/17": "network on whole series",
    "sequence_toy_uncertain/37": "the same, another seed",
    "cgan_toy/17": "conditional GAN",
    "closest_clear_value": "rule: closest clear value",
    "linear_interpolation": "rule: linear interpolation",
    "cloudy_copy": "clouded images as they are",
}
AS_PUBLISHED = {
    "cgan_frame_recurrent_toy_cloud_removal": "recurrent conditional GAN, as published",
    "cgan_toy_cloud_removal": "conditional GAN, as published",
}


def draw() -> str:
    rows = [row for row in read_rows(RESULTS, Record) if row["dataset"] == DATASET]
    dots = [Dot(NAMES[row["method"]], row.scores[RATIO], LOOKS[row["kind"]]) for row in rows if row["method"] in NAMES]
    dots += [
        Dot(name, _alone(PUBLISHED[found][-1]), replace(LOOKS[NETWORK], hollow=True))
        for found, name in AS_PUBLISHED.items()
    ]
    dots.sort(key=lambda dot: -dot.found.mean)
    without = max((row.scores[RATIO] for row in rows if row["kind"] == NO_GENERATION), key=lambda found: found.mean)
    line = Dot("no generated images at all", without, LOOKS[NO_GENERATION])
    return alone(
        draw_dots(dots, title="Jaccard ratio of land cover on generated over real images", caption="", line=line)
    )


def _alone(value: float) -> Interval:
    return Interval(mean=value, low=math.nan, high=math.nan, count=1)


if __name__ == "__main__":
    (HERE / "finding.svg").write_text(draw(), encoding="utf-8")
