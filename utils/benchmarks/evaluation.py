"""Time the image scores of a published view, 30 frames of 3 bands and 256 x 256 pixels, against loops over its bands.

The loops call scikit-image for PSNR and SSIM of each band image, in both protocols; a second set of loops adds what
numpy needs for MAE, MSE and SAM. Ours are all scores at once, cloudy and clear pixels apart, in single precision on
the CPU, on all cores, and on a GPU if there is one. Every figure is the median of several runs, and runs of all
alternate, so that a busy machine slows all. Prints a Markdown table.
"""

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # run as a script, Python looks for modules beside the script

from utils.benchmarks.timing import benchmark_parser, median_seconds, print_table  # noqa: E402
from utils.cli import Parser, run  # noqa: E402

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    Frames = NDArray[np.floating]

VIEW = 30, 3, 256, 256
SEED = 17


def build_parser() -> Parser:
    return benchmark_parser(__doc__, runs=7)


def main(arguments: argparse.Namespace) -> None:
    import torch

    generated, real, opacity = make_view()
    single = generated.numpy(), real.numpy()
    double = [frames.astype("float64") for frames in single]
    loops = {
        "PSNR and SSIM by scikit-image": partial(score_bands, *double),
        "the same in single precision": partial(score_bands, *single),
        "PSNR and SSIM by scikit-image, MAE, MSE and SAM by numpy": partial(score_everything, *double),
        "all of these in single precision": partial(score_everything, *single),
    }
    devices = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    ours = {device: score_on(device, generated, real, opacity) for device in devices}
    seconds = median_seconds(arguments.runs, loops | ours)
    rows = (
        (device, f"{seconds[device] * 1e3:.0f} ms", name, f"{seconds[name] * 1e3:.0f} ms", f"{ratio:.1f}")
        for device in devices
        for name, ratio in ((name, seconds[name] / seconds[device]) for name in loops)
    )
    print_table(("device", "all scores", "loops", "time of the loops", "ratio"), rows)


def make_view() -> "tuple[torch.Tensor, torch.Tensor, torch.Tensor]":
    """A real view in network scale, a generated one near it, and the opacity of clouds."""
    import torch

    generator = torch.Generator().manual_seed(SEED)
    real = torch.rand(VIEW, generator=generator) * 2 - 1
    generated = (real + 0.3 * torch.randn(VIEW, generator=generator)).clamp(-1, 1)
    return generated, real, torch.rand(VIEW[0], *VIEW[2:], generator=generator)


def score_on(device: str, *view: "torch.Tensor") -> Callable[[], object]:
    """Our scores of a view that is on a device already, brought to the host."""
    from src.rsgan.evaluation.metrics.images import opacity_region, score_frames

    generated, real, opacity = (tensor.to(device) for tensor in view)
    return lambda: score_frames(generated, real, opacity_region(opacity)).of_view()


def score_everything(generated: "Frames", real: "Frames") -> None:
    score_bands(generated, real)
    score_pixels(generated, real)


def score_bands(generated: "Frames", real: "Frames") -> list[float]:
    """PSNR and SSIM of each band image in both protocols, by scikit-image."""
    import numpy as np
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    gaussian = {"gaussian_weights": True, "use_sample_covariance": False, "sigma": 1.5}
    scores = []
    for one, other in zip(generated.reshape(-1, *VIEW[2:]), real.reshape(-1, *VIEW[2:]), strict=True):
        a, b = np.maximum(one, 0), np.maximum(other, 0)
        peak = max(a.max(), b.max())
        a, b = a / peak, b / peak
        scores += [peak_signal_noise_ratio(b, a, data_range=1), structural_similarity(b, a, data_range=2)]
        a, b = (one + 1) / 2, (other + 1) / 2
        scores += [peak_signal_noise_ratio(b, a, data_range=1), structural_similarity(b, a, data_range=1, **gaussian)]
    return scores


def score_pixels(generated: "Frames", real: "Frames") -> list[float]:
    """MAE, MSE and SAM of each frame in both protocols, by numpy."""
    import numpy as np

    scores = []
    for one, other in zip(generated, real, strict=True):
        difference = one - other
        scores += [np.abs(difference).mean(), np.square(difference).mean()]
        a, b = np.maximum(one, 0), np.maximum(other, 0)
        scores += [mean_angle(a, b, 2**-10), mean_angle((one + 1) / 2, (other + 1) / 2, 1e-30)]
    return scores


def mean_angle(one: "Frames", other: "Frames", floor: float) -> float:
    """Mean spectral angle of a frame, squared norms being at least `floor`."""
    import numpy as np

    norms = [np.maximum(np.square(frame).sum(axis=0), floor) for frame in (one, other)]
    cosine = (one * other).sum(axis=0) / np.sqrt(norms[0] * norms[1])
    return float(np.arccos(np.clip(cosine, -1, 1)).mean())


if __name__ == "__main__":
    sys.exit(run(build_parser(), main))
