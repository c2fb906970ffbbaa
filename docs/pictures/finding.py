"""Draw finding.svg beside this file: the Jaccard ratio of each kind of method on the rehearsal, from docs/results."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from src.report.charts import Dot, alone, draw_dots  # noqa: E402
from src.report.tasks import LOOKS  # noqa: E402
from utils.page_tables import Record  # noqa: E402
from utils.scores import NO_GENERATION, RATIO  # noqa: E402
from utils.tables import read_rows  # noqa: E402

RESULTS, DATASET = HERE.parent / "results" / "rehearsal" / "scores.csv", "toy_cloud_removal"
NAMES = {
    "sequence_toy_uncertain": "network on whole series",
    "flow_toy": "flow on whole series",
    "cgan_frame_recurrent_toy": "recurrent conditional GAN",
    "cgan_toy": "conditional GAN",
    "closest_clear_value": "rule: closest clear value",
    "linear_interpolation": "rule: linear interpolation",
    "cloudy_copy": "clouded images as they are",
}


def draw() -> str:
    rows = [row for row in read_rows(RESULTS, Record) if row["dataset"] == DATASET]
    dots = [Dot(NAMES[row["method"]], row.scores[RATIO], LOOKS[row["kind"]]) for row in rows if row["method"] in NAMES]
    without = max((row.scores[RATIO] for row in rows if row["kind"] == NO_GENERATION), key=lambda found: found.mean)
    line = Dot("no generated images at all", without, LOOKS[NO_GENERATION])
    return alone(
        draw_dots(dots, title="Jaccard ratio of land cover on generated over real images", caption="", line=line)
    )


if __name__ == "__main__":
    (HERE / "finding.svg").write_text(draw(), encoding="utf-8")
