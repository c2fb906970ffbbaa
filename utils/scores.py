"""What scores are called, which way they point, and the files that testing leaves: written here and nowhere else."""

from dataclasses import dataclass
from math import inf
from typing import Literal, get_args

SCORES, HEADLINES, VIEWS = "test_scores.json", "metrics.json", "views.csv"
BY_CLOUD_COVER, BY_CLASS = "by_cloud_cover.csv", "by_class.csv"
SAMPLES, CLASS_MAPS = "samples.png", "classification.png"
CLASSIFIER, CLASSIFIER_SCORES, CLASSIFIER_PICTURE = "classifier.npz", "scores.json", "confusion_matrix.png"
VALIDATION = "validation.npz"  # the same classifier, fitted to real series of validation views
REAL_MAPS = "test.npz"  # what both make of the real series of test views
SERIES = ("real", "generated")  # that land cover is predicted from
CONFUSION = {kind: f"confusion_{kind}.csv" for kind in SERIES}
CONFUSION_PICTURE = {kind: f"confusion_{kind}.png" for kind in SERIES}
# All that testing writes; the scores come last, and stand for all.
RESULTS = (
    *(HEADLINES, VIEWS, BY_CLOUD_COVER, BY_CLASS, SAMPLES, CLASS_MAPS),
    *(*CONFUSION.values(), *CONFUSION_PICTURE.values(), SCORES),
)
Kind = Literal["network", "submission", "baseline", "upper bound", "no generation"]  # sorts of methods
NETWORK, SUBMISSION, BASELINE, BOUND, NO_GENERATION = KINDS = get_args(Kind)
REFERENCES = (BOUND, NO_GENERATION)  # what methods are measured by; no method competes with them
GENERATORS = (NETWORK, SUBMISSION)  # what baselines are to be beaten by
COMPETITORS = (*GENERATORS, BASELINE)
# Whether training views show the time series that test views show.
Seen = Literal["seen", "partly", "unseen"]
TEST_SERIES: dict[Seen, str] = {
    "seen": "time series that training views show too",
    "partly": "time series some of which training views show too",
    "unseen": "time series that no training view shows",
}
OpacityTold = Literal["none", "estimated", "exact"]  # what a method is told of clouds, the least first
OPACITIES = get_args(OpacityTold)
Sees = Literal["frame", "series"]  # from how much of the source a method makes a frame
SEES = get_args(Sees)
Scale = Literal["reflectance", "network", "255", "10000"]  # of values that predictions come in
SCALES = get_args(Scale)
# Sections of `test_scores.json`; that of uncertainty is of methods which say how uncertain they are.
REFLECTANCE, ORIGINAL, JUDGES, UNCERTAINTY = "reflectance", "original", "judges", "uncertainty"
RATIO = "jaccard_ratio"
# Scores, in a section of `test_scores.json`, without products of the source.
KNOCK_OUTS, KNOCKED_OUT = "knock_outs", ("rmse", "jaccard_generated", RATIO)
# Train on synthetic, test on real; and on real, test on real: Jaccard indices, and the first over the second.
TSTR, TRTR, TSTR_RATIO = "tstr", "trtr", "tstr_ratio"


@dataclass(frozen=True)
class Score:
    key: str  # in tables' files; those of the original protocol are published
    title: str  # in tables' heads
    protocol: str = REFLECTANCE  # the section of `test_scores.json` that has it
    range: tuple[float, float] = (0, inf)  # the smallest and the largest possible value
    lower_is_better: bool = False
    ideal: float | None = None  # where neither the smallest nor the largest value is the best
    of_real_frames: bool = False  # whether it is the same for everything that is tested on the same views
    judge: str = ""  # under whom; the headline judge if that isn't said

    @property
    def name(self) -> str:
        """In its section of `test_scores.json`."""
        return self.key.removeprefix("test_").removesuffix("_samples").removesuffix(under(self.judge, ""))

    def merit(self, value: float) -> float:
        """The larger, the better."""
        if self.ideal is not None:
            return -abs(value - self.ideal)
        return -value if self.lower_is_better else value


def under(judge: str, key: str) -> str:
    """Name a score of one of several judges."""
    return f"{key}_{judge}" if judge else key


# In the order of tables. Of the reflectance protocol these are the most telling; testing writes more.
TABLES = {
    REFLECTANCE: (
        Score("mae", "MAE", lower_is_better=True),
        Score("rmse", "RMSE", lower_is_better=True),
        Score("rmse_cloudy", "RMSE, cloudy", lower_is_better=True),
        Score("rmse_clear", "RMSE, clear", lower_is_better=True),
        Score("rmse_shadowed", "RMSE, shadowed", lower_is_better=True),
        Score("psnr", "PSNR (dB)", range=(-inf, inf)),
        Score("ssim", "SSIM", range=(-1, 1)),
        Score("sam", "SAM (degrees)", lower_is_better=True),
        Score("texture_high", "fine texture", lower_is_better=True),
        Score("correlation", "correlation in time", range=(-1, 1)),
        Score("nnse", "NNSE", range=(0, 1)),
        Score("jaccard_generated", "Jaccard generated", range=(0, 1)),
        Score("jaccard_real", "Jaccard real", range=(0, 1), of_real_frames=True),
        Score(RATIO, "ratio"),
    ),
    ORIGINAL: (
        Score("test_mae", "MAE", ORIGINAL, lower_is_better=True),
        Score("test_mse", "MSE", ORIGINAL, lower_is_better=True),
        Score("test_psnr", "PSNR (dB)", ORIGINAL, range=(-inf, inf)),
        Score("test_ssim", "SSIM", ORIGINAL, range=(-1, 1)),
        Score("test_sam", "SAM (half turns)", ORIGINAL, lower_is_better=True),
        Score("test_jaccard_generated_samples", "Jaccard generated", range=(0, 1)),
        Score("test_jaccard_real_samples", "Jaccard real", range=(0, 1), of_real_frames=True),
        Score(f"test_{RATIO}", "ratio"),
    ),
    UNCERTAINTY: (
        Score("crps", "CRPS", UNCERTAINTY, lower_is_better=True),
        *(Score(f"coverage_{n}", f"coverage, {n} %", UNCERTAINTY, (0, 1), ideal=n / 100) for n in (50, 80, 95)),
        Score("squared_z", "squared z", UNCERTAINTY, ideal=1),
        Score("ence", "ENCE", UNCERTAINTY, lower_is_better=True),
        Score("harm_auroc", "harm AUROC", UNCERTAINTY, (0, 1)),
    ),
}


def of_judge(name: str) -> tuple[Score, ...]:
    """The scores under one of several judges."""
    return (
        Score(under(name, "jaccard_generated"), f"Jaccard generated, {name}", JUDGES, (0, 1), judge=name),
        Score(under(name, "jaccard_real"), f"Jaccard real, {name}", JUDGES, (0, 1), of_real_frames=True, judge=name),
        Score(under(name, RATIO), f"ratio, {name}", JUDGES, judge=name),
        Score(under(name, TSTR_RATIO), f"TSTR ratio, {name}", JUDGES, judge=name),
    )


def judged(judge: str, name: str) -> Score:
    """One of the scores under a judge, by its name in the judge's section."""
    return next(score for score in of_judge(judge) if score.name == name)


CLOUDS_ONLY = ("_cloudy", "_clear")  # endings of scores that data without clouds don't have
SHADOWS_ONLY = "_shadowed"  # ending of scores that data without shadows don't have
TITLES = {
    REFLECTANCE: "Reflectance protocol",
    ORIGINAL: "Original protocol (network scale)",
    JUDGES: "By judge",
    UNCERTAINTY: "How uncertain",
}
# Few enough to compare experiments at a glance, as `dvc metrics show` does.
AT_A_GLANCE = ("rmse", "rmse_cloudy", "ssim", "jaccard_generated", "jaccard_real", RATIO)
# Means over five seeds: science of the published repository, 250 views of 256 x 256 pixels and 30 steps.
PUBLISHED_SIZE = {"height": 256, "width": 256, "horizon": 30}
PUBLISHED_VIEWS = 250
PUBLISHED = {
    "cgan_toy_cloud_removal": (0.246, 0.129, 17.9, 0.687, 0.174, 0.493, 0.993, 0.496),
    "cgan_frame_recurrent_toy_cloud_removal": (0.200, 0.074, 21.2, 0.825, 0.147, 0.553, 0.993, 0.556),
    "cgan_toy_cloud_removal_upper_bound": (0.043, 0.003, 31.8, 0.99, 0.092, 0.980, 0.993, 0.986),
}


def digits(value: float) -> int:
    """Choose the number of decimals to show: 1 from 10 on, else 3."""
    return 1 if abs(value) >= 10 else 3
