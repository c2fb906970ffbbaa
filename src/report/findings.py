"""What the results say, in sentences."""

import math
from collections.abc import Iterable, Iterator

from src.report import cloud_cover
from src.report.charts import Chart, Dot, draw_dots
from src.report.estimates import GENERATED, RATIO, REAL, RMSE, best, in_words, show
from src.report.paired import ratio_difference
from src.report.tasks import BASELINE, BOUND, NETWORK, Shown, Task

GOOD_ENOUGH = 0.95  # Jaccard ratio from which images count as good enough


def answer(tasks: Iterable[Task]) -> str:
    """Say in one sentence whether the images of any network, upper bounds aside, are good enough in each task."""
    verdicts: dict[str, list[str]] = {}
    for task in tasks:
        verdicts.setdefault(_verdict(task), []).append(task.title)
    if len(verdicts) == 1:
        return f"{next(iter(verdicts))}."
    return "; ".join(f"{', '.join(titles)}: {said[:1].lower()}{said[1:]}" for said, titles in verdicts.items()) + "."


def _verdict(task: Task) -> str:
    defined = [method for method in task.of(NETWORK) if not math.isnan(method.mean(RATIO))]
    if not defined:
        return "No network's images have been judged yet"
    ends = [_ends(method) for method in defined]
    if any(low >= GOOD_ENOUGH for low, _ in ends):
        return "Yes: by this measure, the images of at least one network are good enough"
    if any(high >= GOOD_ENOUGH for _, high in ends):
        return "Undecided: the interval of at least one network's Jaccard ratio reaches what is good enough"
    return "No: by this measure, no network's images are good enough"


def _ends(method: Shown) -> tuple[float, float]:
    """The ends of the ratio's interval; where there is none, twice the ratio itself."""
    found = method.interval(RATIO)
    return (found.low, found.high) if math.isfinite(found.high - found.low) else (found.mean, found.mean)


def sentences(task: Task) -> list[str]:
    """Say what a task's results are."""
    return list(_sentences(task)) or ["No method's Jaccard ratio is defined."]


def _sentences(task: Task) -> Iterator[str]:
    network, baseline, bound = (best(task.of(kind), RATIO) for kind in (NETWORK, BASELINE, BOUND))
    top = best(task.of(NETWORK, BASELINE), RATIO)
    if top:
        yield _top(task, top)
    if network and baseline:
        yield _compare(network, baseline)
    if bound:
        yield f"The upper bound, a network that is given the real image itself, reaches {in_words(bound, RATIO)}."
    if top:
        yield from _error(task, top)
        yield from _clouds(top)


def _top(task: Task, top: Shown) -> str:
    number = len(task.of(NETWORK, BASELINE))
    among = f"Of {number} methods, the {top.kind} “{top.label}”" if number > 1 else f"The {top.kind} “{top.label}”"
    return (
        f"{among} has the best Jaccard ratio: {in_words(top, RATIO)}. Land cover from its images has a Jaccard index "
        f"of {show(top.mean(GENERATED))}, from real ones {show(top.mean(REAL))}."
    )


def _compare(network: Shown, baseline: Shown) -> str:
    difference = network.mean(RATIO) - baseline.mean(RATIO)
    side = "above" if difference > 0 else "below"
    return (
        f"The best network, “{network.label}” with {in_words(network, RATIO)}, is {show(abs(difference))} {side} the "
        f"best baseline, “{baseline.label}” with {in_words(baseline, RATIO)}.{_settled(network, baseline)}"
    )


def _settled(network: Shown, baseline: Shown) -> str:
    found = ratio_difference(network, baseline)
    if found is None:
        return ""
    inside = found.low <= 0 <= found.high
    verdict = "holds 0: the order is not settled" if inside else "leaves 0 out: as far as views go, it is settled"
    ends = f"[{show(found.low)}, {show(found.high)}]"
    return f" The 95 % interval of the difference, over the same test views, is {ends}; it {verdict}."


def _error(task: Task, top: Shown) -> Iterator[str]:
    """Say so if small errors and useful images are not the same."""
    closest = best(task.of(NETWORK, BASELINE), RMSE)
    if closest and closest is not top:
        yield (
            f"A small error is something else: “{closest.label}” has the smallest RMSE ({show(closest.mean(RMSE))}, "
            f"against {show(top.mean(RMSE))}), but a ratio of {show(closest.mean(RATIO))}."
        )


def _clouds(top: Shown) -> Iterator[str]:
    ends = cloud_cover.change(top)
    if ends:
        (first, start), (last, end) = ends
        yield (
            f"From pixels with a mean opacity of {first:.3g} to those of {last:.3g}, the ratio of “{top.label}” goes "
            f"from {show(start)} to {show(end)}."
        )


def ratios(task: Task) -> Chart | None:
    """Draw the Jaccard ratio of each method, the best on top; nothing where none is defined."""
    shown = [(method, method.interval(RATIO)) for method in task.methods if math.isfinite(method.mean(RATIO))]
    shown.sort(key=lambda pair: -pair[1].mean)
    if not shown:
        return None
    return draw_dots(
        [Dot(method.label, found, method.look) for method, found in shown],
        title=f"{task.title}: Jaccard ratio of each method",
        caption=f"Jaccard ratio of each method with its 95 % interval{_whose(task)}. Filled marks are networks, hollow "
        "ones baselines, grey ones upper bounds.",
    )


def _whose(task: Task) -> str:
    several = {len(method.results) > 1 for method in task.methods}
    if several == {True, False}:
        return ": over seeds where a network was trained with several, otherwise over test views"
    return " over seeds" if several == {True} else " over test views"
