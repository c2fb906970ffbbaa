"""What scores are called, which way they point, and the files that testing leaves: written here and nowhere else."""

from dataclasses import dataclass
from math import inf

SCORES, HEADLINES, VIEWS = "test_scores.json", "metrics.json", "views.csv"
BY_CLOUD_COVER, BY_CLASS = "by_cloud_cover.csv", "by_class.csv"
SAMPLES, CLASS_MAPS = "samples.png", "classification.png"
CLASSIFIER, CLASSIFIER_SCORES, CLASSIFIER_PICTURE = "classifier.npz", "scores.json", "confusion_matrix.png"
KINDS = ("real", "generated")  # of the frames that land cover is predicted from
CONFUSION = {kind: f"confusion_{kind}.csv" for kind in KINDS}
CONFUSION_PICTURE = {kind: f"confusion_{kind}.png" for kind in KINDS}
# All that testing writes; the scores come last, and stand for all.
RESULTS = (
    *(HEADLINES, VIEWS, BY_CLOUD_COVER, BY_CLASS, SAMPLES, CLASS_MAPS),
    *(*CONFUSION.values(), *CONFUSION_PICTURE.values(), SCORES),
)
REFLECTANCE, ORIGINAL = "reflectance", "original"
RATIO = "jaccard_ratio"


@dataclass(frozen=True)
class Score:
    """A score that tables show."""

    key: str  # in tables' files; those of the original protocol are published
    title: str  # in tables' heads
    name: str  # in its section of `test_scores.json`
    protocol: str = REFLECTANCE  # that section
    range: tuple[float, float] = (0, inf)  # the smallest and the largest possible value
    lower_is_better: bool = False
    of_real_frames: bool = False  # whether it is the same for everything that is tested on the same views


def _error(key: str, title: str, protocol: str = REFLECTANCE) -> Score:
    return Score(key, title, key.removeprefix("test_"), protocol, lower_is_better=True)


# In the order of tables. Of the reflectance protocol these are the most telling; testing writes more.
TABLES = {
    REFLECTANCE: (
        _error("mae", "MAE"),
        _error("rmse", "RMSE"),
        _error("rmse_cloudy", "RMSE, cloudy"),
        _error("rmse_clear", "RMSE, clear"),
        Score("psnr", "PSNR (dB)", "psnr", range=(-inf, inf)),
        Score("ssim", "SSIM", "ssim", range=(-1, 1)),
        _error("sam", "SAM (degrees)"),
        Score("correlation", "correlation in time", "correlation", range=(-1, 1)),
        Score("jaccard_generated", "Jaccard generated", "jaccard_generated", range=(0, 1)),
        Score("jaccard_real", "Jaccard real", "jaccard_real", range=(0, 1), of_real_frames=True),
        Score(RATIO, "ratio", RATIO),
    ),
    ORIGINAL: (
        _error("test_mae", "MAE", ORIGINAL),
        _error("test_mse", "MSE", ORIGINAL),
        Score("test_psnr", "PSNR (dB)", "psnr", ORIGINAL, range=(-inf, inf)),
        Score("test_ssim", "SSIM", "ssim", ORIGINAL, range=(-1, 1)),
        _error("test_sam", "SAM (half turns)", ORIGINAL),
        Score("test_jaccard_generated_samples", "Jaccard generated", "jaccard_generated", range=(0, 1)),
        Score("test_jaccard_real_samples", "Jaccard real", "jaccard_real", range=(0, 1), of_real_frames=True),
        Score("test_jaccard_ratio", "ratio", RATIO),
    ),
}
CLOUDS_ONLY = ("_cloudy", "_clear")  # endings of scores that data without clouds don't have
TITLES = {REFLECTANCE: "Reflectance protocol", ORIGINAL: "Original protocol (network scale)"}
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
