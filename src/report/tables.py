"""Which scores stand in which table, which of them is best, and the counts of confusion matrices."""

from src.report.estimates import best
from src.report.tasks import BASELINE, NETWORK, Shown, Task
from utils.results import ConfusionRow
from utils.scores import CONFUSION, ORIGINAL, REFLECTANCE, TABLES, Score

THEMES = {"Land cover": "jaccard", "Errors": ("mae", "mse", "rmse"), "Structure, spectra and time": ""}  # by name


def score_tables(task: Task) -> dict[str, list[Score]]:
    """The reflectance protocol by theme, what counts first, and the original one; columns are what was measured."""
    found: dict[str, list[Score]] = {f"{theme}, reflectance protocol.": [] for theme in THEMES}
    for score in task.comparison.columns(REFLECTANCE):
        theme = next(theme for theme, starts in THEMES.items() if score.name.startswith(starts))
        found[f"{theme}, reflectance protocol."].append(score)
    found["All scores, original protocol (network scale)."] = task.comparison.columns(ORIGINAL)
    return {caption: sorted(scores, key=_importance) for caption, scores in found.items() if scores}


def _importance(score: Score) -> tuple[bool, bool]:
    return "jaccard" not in score.name, "ratio" not in score.name


def winner(task: Task, score: Score) -> Shown | None:
    """The method to emphasise: upper bounds compete with nobody, and real images are those of all."""
    compared = task.of(NETWORK, BASELINE)
    return best(compared, score) if len(compared) > 1 and not score.of_real_frames else None


def published(task: Task, method: Shown) -> dict[Score, float]:
    return dict(zip(TABLES[ORIGINAL], task.comparison.published(method), strict=False))


def confusion(task: Task) -> list[tuple[str, list[ConfusionRow]]]:
    """Matrices of real frames, and of each method's first seed."""
    shown = [("Real frames", task.methods[0], "real")]
    shown += [(method.title, method, "generated") for method in task.methods]
    found = [(title, method.results[0].rows(CONFUSION[kind], ConfusionRow)) for title, method, kind in shown]
    return [(title, rows) for title, rows in found if rows]
