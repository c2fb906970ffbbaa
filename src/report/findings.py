"""What the results say, in sentences."""

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import permutations

from src.report import cloud_cover
from src.report.charts import Chart, Dot, draw_dots
from src.report.estimates import GENERATED, RATIO, REAL, RMSE, in_words, show, without_generation
from src.report.tasks import Shown, Task, words
from utils.comparison import best, paired_difference, ratio_difference
from utils.intervals import Interval
from utils.results import About
from utils.scores import (
    BASELINE,
    BOUND,
    COMPETITORS,
    GENERATORS,
    KNOCKED_OUT,
    NO_GENERATION,
    OPACITIES,
    TSTR_RATIO,
    Score,
    judged,
)

FEWEST_RANKED = 3  # methods whose order may be compared
GOOD_ENOUGH = 0.95  # Jaccard ratio from which images count as good enough


def answer(tasks: Iterable[Task]) -> str:
    """Say in one sentence whether the images of any network or submission are good enough in each task."""
    verdicts: dict[str, list[str]] = {}
    for task in tasks:
        verdicts.setdefault(_verdict(task), []).append(task.title)
    if len(verdicts) == 1:
        return f"{next(iter(verdicts))}."
    return "; ".join(f"{', '.join(titles)}: {said[:1].lower()}{said[1:]}" for said, titles in verdicts.items()) + "."


def _verdict(task: Task) -> str:
    defined = [method for method in task.of(*GENERATORS) if not math.isnan(method.mean(RATIO))]
    if not defined:
        return "No network's images have been judged yet"
    whose = " or ".join(dict.fromkeys(method.kind for method in defined))
    ends = [_ends(method.interval(RATIO), method.mean(RATIO)) for method in defined]
    if any(low >= GOOD_ENOUGH for low, _ in ends):
        return f"Yes: by this measure, the images of at least one {whose} are good enough"
    if any(high >= GOOD_ENOUGH for _, high in ends):
        return f"Undecided: the interval of at least one {whose}'s Jaccard ratio reaches what is good enough"
    return f"No: by this measure, no {whose}'s images are good enough"


def _ends(found: Interval | None, value: float) -> tuple[float, float]:
    """The ends of a value's interval; where there is none, twice the value itself."""
    return (found.low, found.high) if found and math.isfinite(found.high - found.low) else (value, value)


def sentences(task: Task) -> list[str]:
    """Say what a task's results are."""
    return list(_sentences(task)) or ["No method's Jaccard ratio is defined."]


def _sentences(task: Task) -> Iterator[str]:
    baseline = best(task.of(BASELINE), RATIO)
    top = best(task.of(*COMPETITORS), RATIO)
    if top and without_generation(task):
        yield from _use(task, top)
    if top:
        yield _top(task, top)
    for generator in (best(task.of(kind), RATIO) for kind in GENERATORS):
        if generator and baseline:
            yield _compare(generator, baseline)
    for bound in task.of(BOUND):
        rule = "least squares that know parcels and clouds"
        what = rule if bound.about.seed is None else "a network that is given the real image itself"
        yield f"The upper bound “{bound.label}”, {what}, reaches {in_words(bound, RATIO)}."
    if top:
        yield from _error(task, top)
        yield from _clouds(top)
        yield from _judges(task)
        yield from _learning(task)
        yield from _knowledge(task)
        yield from _parts(task)
    if task.comparison.about.test_series != "unseen":
        series = task.comparison.about.series
        yield f"Test views show {series}: networks and classifiers may recall them, as they could not elsewhere."


def _use(task: Task, top: Shown) -> Iterator[str]:
    """Say whether images are of any use at all, and whose do harm."""

    def gain(method: Shown) -> tuple[Shown, Interval | None, tuple[float, float]]:
        without = without_generation(task, method)
        found = ratio_difference(method, without)
        return without, found, _ends(found, method.mean(RATIO) - without.mean(RATIO))

    reference, found, (low, high) = gain(top)
    verdict = "Whether generating images helps at all is not settled"
    if low > 0 or high < 0:
        verdict = "Generating images helps" if low > 0 else "Generating images does harm"
    yield (
        f"{verdict}: “{reference.label}”, a classifier that learns from the sources themselves and needs no image, has "
        f"a ratio of {in_words(reference, RATIO)}; the images of the best {top.kind}, “{top.label}”, one of "
        f"{in_words(top, RATIO)}.{_settled(found)}"
    )
    for kind in GENERATORS:
        worse = [method for method in task.of(kind) if gain(method)[2][1] < 0]
        if worse:
            names = ", ".join(f"“{method.label}” ({show(method.mean(RATIO))})" for method in worse)
            yield f"Land cover is recognised worse from the images of these {kind}s than without any image: {names}."


def _top(task: Task, top: Shown) -> str:
    number = len(task.of(*COMPETITORS))
    among = f"Of {number} methods, the {top.kind} “{top.label}”" if number > 1 else f"The {top.kind} “{top.label}”"
    return (
        f"{among} has the best Jaccard ratio: {in_words(top, RATIO)}. Land cover from its images has a Jaccard index "
        f"of {show(top.mean(GENERATED))}, from real ones {show(top.mean(REAL))}."
    )


def _compare(generator: Shown, baseline: Shown) -> str:
    difference = generator.mean(RATIO) - baseline.mean(RATIO)
    side = "above" if difference > 0 else "below"
    settled = _settled(ratio_difference(generator, baseline))
    return (
        f"The best {generator.kind}, “{generator.label}” with {in_words(generator, RATIO)}, is "
        f"{show(abs(difference))} {side} the best baseline, “{baseline.label}” with {in_words(baseline, RATIO)}."
        f"{settled}"
    )


def _settled(found: Interval | None) -> str:
    """Say whether the interval of a difference tells which is better."""
    if found is None:
        return ""
    inside = found.low <= 0 <= found.high
    verdict = "holds 0: the order is not settled" if inside else "leaves 0 out: as far as views go, it is settled"
    return f" The 95 % interval of the difference, over the same test views, is{_between(found)}; it {verdict}."


def _between(found: Interval | None) -> str:
    return f" [{show(found.low)}, {show(found.high)}]" if found else ""


def _error(task: Task, top: Shown) -> Iterator[str]:
    """Say so if small errors and useful images are not the same."""
    closest = best(task.of(*COMPETITORS), RMSE)
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


def _judges(task: Task) -> Iterator[str]:
    """Say how far the order of the methods depends on who judges."""
    for other in task.comparison.about.judges[1:]:
        ratio = judged(other.name, RATIO.name)
        compared = [
            method
            for method in task.of(*COMPETITORS)
            if all(math.isfinite(method.mean(score)) for score in (RATIO, ratio))
        ]
        top = best(compared, ratio)
        reference = without_generation(task, top, ratio)
        without = f" Without any image it is {in_words(reference, ratio)}." if reference else ""
        if top:
            yield (
                f"Under another judge, {other.name}, “{top.label}” has the best ratio: {in_words(top, ratio)}.{without}"
                f"{_agreement(compared, RATIO, ratio)}"
            )


def _agreement(methods: Sequence[Shown], *scores: Score) -> str:
    """Kendall's rank correlation (tau-b) of the order of methods between two scores, where there is an order."""
    if len(methods) < FEWEST_RANKED:
        return ""
    from scipy.stats import kendalltau  # whose import alone takes a second

    tau = float(kendalltau(*([method.mean(score) for method in methods] for score in scores)).statistic)
    return f" Kendall's rank correlation of the order of {len(methods)} methods between the two is {show(tau)}."


def _learning(task: Task) -> Iterator[str]:
    """Say how good generated images are to learn from, by the headline judge."""
    for judge in task.comparison.about.judges[:1]:
        ratio = judged(judge.name, TSTR_RATIO)
        top = best(task.of(*COMPETITORS), ratio)
        if top:
            yield (
                f"To learn land cover from, the images of “{top.label}” are the best: what learns from them has, on "
                f"real images, {in_words(top, ratio)} of the Jaccard index of what learns from real ones."
            )


def _parts(task: Task) -> Iterator[str]:
    """Say how much of the best ratio rests on products beside the clouded one."""
    top = best((method for method in task.of(*COMPETITORS) if method.knock_outs), RATIO)
    if not top:
        return
    whole, *missing = (
        (words(name), found[KNOCKED_OUT.index(RATIO.name)].mean) for name, found in top.knock_outs.items()
    )
    parts = ", ".join(f"{show(ratio)} with {name}{_share(ratio, whole[1])}" for name, ratio in missing)
    yield f"What it rests on: with all of its source, “{top.label}” has a ratio of {show(whole[1])}; {parts}."


def _knowledge(task: Task) -> Iterator[str]:
    """Say what it is worth to be told more, by methods that are alike in all else."""
    pairs: dict[str, list[str]] = {}
    for one, other in permutations(task.of(*COMPETITORS), 2):
        what = _told_more(one.about, other.about)
        if what and not math.isnan(one.mean(RATIO) - other.mean(RATIO)):
            found = ratio_difference(one, other), paired_difference(one, other, RMSE.name)
            ratio, error = (
                f"{show(one.mean(score) - other.mean(score))}{_between(difference)} in {score.title}"
                for score, difference in zip((RATIO, RMSE), found, strict=True)
            )
            pairs.setdefault(what, []).append(f"“{one.label}” less “{other.label}” is {ratio} and {error}")
    for what, found in pairs.items():
        yield f"What {what}, all else being equal, over the same test views: {'; '.join(found)}."


def _told_more(one: About, other: About) -> str:
    """Name what one method is told and another isn't, if they are alike in all else; nothing if they aren't."""
    if not one.told or not other.told or one.run.differences(other.run, apart_from=_follows_from_told(one)):
        return ""
    (sensors, opacity), (fewer, worse) = ((told.sensors, told.opacity) for told in (one.told, other.told))
    if sensors == fewer and OPACITIES.index(opacity) > OPACITIES.index(worse):
        return f"the {opacity} opacity is worth beside {'none' if worse == 'none' else f'the {worse} one'}"
    more = [words(sensor) for sensor in sensors if sensor not in fewer]
    is_more = opacity == worse and len(more) == len(sensors) - len(fewer) > 0
    return f"{' and '.join(more)} {'is' if len(more) == 1 else 'are'} worth" if is_more else ""


def _follows_from_told(about: About) -> list[str]:
    """What else differs in the work of methods that are alike in all but what they are told."""
    networks = about.run.configuration.get("model", {})
    told = (f"dataset.{key}" for key in ("name", "sources", "clouds", "opacity"))
    return ["data", "code", *told, *(f"model.{network}.input_size" for network in networks)]


def _share(part: float, whole: float) -> str:
    """Write a change in per cent, where there is one to write."""
    change = 100 * (part / whole - 1) if whole else math.nan
    return f" ({abs(change):.0f} % {'less' if change < 0 else 'more'})" if abs(change) >= 0.5 else ""


def by_judge(task: Task) -> list[Chart]:
    """Draw the ratios under each of several judges, that of the headline first."""
    judges = task.comparison.about.judges
    if len(judges) < 2:
        return []
    found = (ratios(task, judged(judge.name, RATIO.name)) for judge in judges)
    return [chart for chart in found if chart]


def ratios(task: Task, score: Score = RATIO) -> Chart | None:
    """Draw the Jaccard ratio of each method, the best on top, and no generation as a line; None if none is defined."""
    drawn = (method for method in task.methods if method.kind != NO_GENERATION)
    shown = [(method, method.interval(score)) for method in drawn if math.isfinite(method.mean(score))]
    shown.sort(key=lambda pair: -pair[1].mean)
    if not shown:
        return None
    several = {len(method.results) > 1 for method, _ in shown}
    reference = without_generation(task, best(task.of(*GENERATORS), score), score)
    whose = " over seeds" if several == {True} else " over test views"
    if several == {True, False}:
        whose = ": over seeds where a network was trained with several, otherwise over test views"
    line = reference and Dot("no generation", reference.interval(score), reference.look)
    under = f" under {score.judge}" if score.judge else ""
    said = f" The dashed line is what needs no images at all, “{reference.label}”." if reference else ""
    return draw_dots(
        [Dot(method.label, found, method.look) for method, found in shown],
        title=f"{task.title}: Jaccard ratio of each method{under}",
        caption=f"Jaccard ratio of each method{under} with its 95 % interval{whose}. Filled marks are networks and "
        f"submissions, hollow ones baselines, grey ones upper bounds.{said}",
        line=line,
    )
