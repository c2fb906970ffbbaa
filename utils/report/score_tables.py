"""The tables of scores: one for each protocol."""

from utils import score_table
from utils.report.blocks import Block, Cell, Row, Table
from utils.report.estimates import REAL, best, estimate, lower_is_better
from utils.report.results import DataSet, Kind

TITLES = {Kind.NETWORK: "Networks", Kind.BASELINE: "Baselines", Kind.BOUND: "Upper bound"}
INTERVALS = (
    "± is the half-width of the 95 % interval over seeds (Student's t); [low, high] is the 95 % bootstrap interval "
    "over test views, where there is one seed or none. ↓ means that lower is better, ↑ that higher is. The best method "
    "of each column, upper bounds aside, is in bold."
)


def blocks(dataset: DataSet) -> list[Block]:
    """Make the tables of a data set.

    Args:
        dataset: its results.

    Returns:
        Reflectance protocol, and the original one; there, published figures beside data of the published size.
    """
    reflectance = f"Scores in the reflectance protocol, the one to trust. {INTERVALS}"
    original = f"Scores in the original protocol (network scale), to compare with published figures. {_beside(dataset)}"
    return [
        _table(dataset, reflectance, score_table.REFLECTANCE, published=False),
        _table(dataset, original, score_table.ORIGINAL, published=dataset.comparable),
    ]


def _beside(dataset: DataSet) -> str:
    if dataset.comparable:
        return "Published figures are means over five seeds."
    size = " × ".join(str(score_table.PUBLISHED_SIZE[key]) for key in ("width", "height"))
    return (
        f"Published figures are of {score_table.PUBLISHED_VIEWS} views of {size} pixels and "
        f"{score_table.PUBLISHED_SIZE['horizon']} steps, so none stand here."
    )


def _table(dataset: DataSet, caption: str, columns: dict[str, str], *, published: bool) -> Table:
    # What counts comes first: land cover, and of that the ratio.
    keys = sorted(columns, key=lambda key: ("jaccard" not in key, "ratio" not in key))
    compared = dataset.of(Kind.NETWORK, Kind.BASELINE)
    winners = {key: best(compared, key) for key in keys if key not in REAL and len(compared) > 1}
    groups = []
    for kind in Kind:
        rows = []
        for method in dataset.of(kind):
            cells = [estimate(method, key).cell(strong=winners.get(key) is method) for key in keys]
            seeds = str(len(method.results)) if method.results[0].about["seed"] is not None else "–"
            rows.append(Row(method.label, [Cell(seeds), *cells]))
            if published and method.experiment in score_table.PUBLISHED:
                rows.append(_published(method.experiment, keys))
        if rows:
            groups.append((TITLES[kind], rows))
    return Table(caption, ["method", "seeds", *(_heading(key, columns[key]) for key in keys)], groups)


def _heading(key: str, name: str) -> str:
    name = "Jaccard ratio" if name == "ratio" else name
    return name if key in REAL else f"{name}\u00a0{'↓' if lower_is_better(key) else '↑'}"


def _published(experiment: str, keys: list[str]) -> Row:
    figures = dict(zip(score_table.ORIGINAL, score_table.PUBLISHED[experiment], strict=True))
    return Row("published", [Cell("5"), *(Cell(f"{figures[key]:g}") for key in keys)])
