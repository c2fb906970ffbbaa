"""What the results say, in sentences."""

import math

from utils.report import cloud_cover
from utils.report.blocks import Bullets, Chart, Gallery, Paragraph, Section, slug
from utils.report.dot_chart import Dot, draw_dots
from utils.report.estimates import best, estimate, show
from utils.report.paired import ratio_difference
from utils.report.results import DataSet, Kind, Method

RATIO = "jaccard_ratio"
GOOD_ENOUGH = 0.95  # Jaccard ratio from which images count as good enough
CRITERION = (
    "What counts is the Jaccard ratio: how well a land-cover classifier that learnt from real images does on generated "
    "series, over how well it does on real ones (1: as well as on real images). "
    f"From {GOOD_ENOUGH:g} on, images count as good enough here."
)


def summary(datasets: list[DataSet]) -> Section:
    """Answer the study's question.

    Args:
        datasets: its results.

    Returns:
        The answer; then, for each data set, the main findings beside a chart of the Jaccard ratios.
    """
    parts = [
        Section(dataset.label, f"summary-of-{slug(dataset.name)}", [Gallery([_findings(dataset), *_charts(dataset)])])
        for dataset in datasets
    ]
    return Section("Summary", "summary", [Paragraph(CRITERION, lead=answer(datasets)), *parts])


def _findings(dataset: DataSet) -> Bullets:
    return Bullets([Paragraph(sentence) for sentence in sentences(dataset)])


def answer(datasets: list[DataSet]) -> str:
    """Answer in one sentence.

    Args:
        datasets: the study.

    Returns:
        Whether the images of any network, upper bounds aside, are good enough on each data set.
    """
    verdicts: dict[str, list[str]] = {}
    for dataset in datasets:
        verdicts.setdefault(_verdict(dataset), []).append(dataset.label)
    if len(verdicts) == 1:
        return f"{next(iter(verdicts))}."
    return (
        "; ".join(f"{', '.join(labels)}: {verdict[:1].lower()}{verdict[1:]}" for verdict, labels in verdicts.items())
        + "."
    )


def _verdict(dataset: DataSet) -> str:
    networks = [estimate(method, RATIO) for method in dataset.of(Kind.NETWORK)]
    defined = [found for found in networks if not math.isnan(found.mean)]
    if not defined:
        return "No network's images have been judged yet"
    if any((found.low if found.has_interval else found.mean) >= GOOD_ENOUGH for found in defined):
        return "Yes: by this measure, the images of at least one network are good enough"
    if any((found.high if found.has_interval else found.mean) >= GOOD_ENOUGH for found in defined):
        return "Undecided: the interval of at least one network's Jaccard ratio reaches what is good enough"
    return "No: by this measure, no network's images are good enough"


def sentences(dataset: DataSet) -> list[str]:
    """Say what the results on a data set are.

    Args:
        dataset: its results.

    Returns:
        Sentences.
    """
    network, baseline = (best(dataset.of(kind), RATIO) for kind in (Kind.NETWORK, Kind.BASELINE))
    bound = best(dataset.of(Kind.BOUND), RATIO)
    top = best(dataset.of(Kind.NETWORK, Kind.BASELINE), RATIO)
    found = []
    if top:
        found.append(_top(dataset, top))
    if network and baseline:
        found.append(_compare(network, baseline))
    if bound:
        found.append(
            f"The upper bound, a network that is given the real image itself, reaches {estimate(bound, RATIO)}."
        )
    if top:
        found += [*_error(dataset, top), *_clouds(top)]
    return found or ["No method's Jaccard ratio is defined."]


def _top(dataset: DataSet, top: Method) -> str:
    number = len(dataset.of(Kind.NETWORK, Kind.BASELINE))
    among = f"Of {number} methods, the {top.kind} “{top.label}”" if number > 1 else f"The {top.kind} “{top.label}”"
    return (
        f"{among} has the best Jaccard ratio: {estimate(top, RATIO)}. Land cover from its images has a Jaccard index "
        f"of {show(top.mean('jaccard_generated'))}, from real ones {show(top.mean('jaccard_real'))}."
    )


def _compare(network: Method, baseline: Method) -> str:
    ours, simple = estimate(network, RATIO), estimate(baseline, RATIO)
    difference = ours.mean - simple.mean
    side = "above" if difference > 0 else "below"
    return (
        f"The best network, “{network.label}” with {ours}, is {show(abs(difference))} {side} the best baseline, "
        f"“{baseline.label}” with {simple}.{_settled(network, baseline)}"
    )


def _settled(network: Method, baseline: Method) -> str:
    interval = ratio_difference(network, baseline)
    if interval is None:
        return ""
    low, high = interval
    inside = low <= 0 <= high
    verdict = "holds 0: the order is not settled" if inside else "leaves 0 out: as far as views go, it is settled"
    ends = f"[{show(low)}, {show(high)}]"
    return f" The 95 % interval of the difference, over the same test views, is {ends}; it {verdict}."


def _error(dataset: DataSet, top: Method) -> list[str]:
    """Say so if small errors and useful images are not the same."""
    closest = best(dataset.of(Kind.NETWORK, Kind.BASELINE), "rmse")
    if closest is None or closest is top:
        return []
    return [
        f"A small error is something else: “{closest.label}” has the smallest RMSE ({show(closest.mean('rmse'))}, "
        f"against {show(top.mean('rmse'))}), but a ratio of {show(closest.mean(RATIO))}."
    ]


def _clouds(top: Method) -> list[str]:
    points = [point for point in cloud_cover.curve(top, cloud_cover.SERIES, RATIO) if math.isfinite(point[1])]
    if len(points) < 2:
        return []
    (first, start), (last, end) = points[0], points[-1]
    return [
        f"From pixels with a mean opacity of {first:.3g} to those of {last:.3g}, the ratio of “{top.label}” goes from "
        f"{show(start)} to {show(end)}."
    ]


def _charts(dataset: DataSet) -> list[Chart]:
    estimates = [(method, estimate(method, RATIO)) for method in dataset.methods]
    shown = [(method, found) for method, found in estimates if math.isfinite(found.mean)]
    if not shown:
        return []
    shown.sort(key=lambda pair: -pair[1].mean)
    dots = [Dot(method.label, found.mean, found.low, found.high, method.look) for method, found in shown]
    title = f"{dataset.label}: Jaccard ratio of each method"
    drawing = draw_dots(f"ratio-{slug(dataset.name)}", title, dots, reference=(1, "real images"))
    return [
        Chart(
            drawing,
            f"Jaccard ratio of each method with its 95 % interval{_whose(dataset)}. Filled marks are networks, hollow "
            "ones baselines, grey ones upper bounds.",
        )
    ]


def _whose(dataset: DataSet) -> str:
    several = {len(method.results) > 1 for method in dataset.methods}
    if several == {True, False}:
        return ": over seeds where a network was trained with several, otherwise over test views"
    return " over seeds" if several == {True} else " over test views"
