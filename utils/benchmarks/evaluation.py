"""Time the image scores of a published view, 30 frames of 3 bands and 256 x 256 pixels, against loops over its bands.

The loops call scikit-image for PSNR and SSIM of each band image, in both protocols, and numpy for MAE, MSE and SAM.
Ours are all scores at once, cloudy and clear pixels apart, in single precision, on all cores, and on a GPU if there is
one. Figures are medians of several runs, and runs of all alternate. Prints a Markdown table.
"""

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # run as a script, Python looks for modules beside the script

from utils.benchmarks.timing import benchmark_parser, median_seconds, print_table  # noqa: E402
from utils.cli import Parser, run  # noqa: E402

if TYPE_CHECKING:
    import torch

VIEW = 30, 3, 256, 256


def build_parser() -> Parser:
    return benchmark_parser(__doc__, runs=7)


def main(arguments: argparse.Namespace) -> None:
    import torch

    random = torch.Generator().manual_seed(17)
    real = torch.rand(VIEW, generator=random) * 2 - 1
    generated = (real + 0.3 * torch.randn(VIEW, generator=random)).clamp(-1, 1)
    opacity = torch.rand(VIEW[0], *VIEW[2:], generator=random)
    devices = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    ours = {name: partial(score, *(tensor.to(name) for tensor in (generated, real, opacity))) for name in devices}
    loops = {}
    for precision, words in ((torch.float64, ""), (torch.float32, " in single precision")):
        view = generated.to(precision), real.to(precision)
        loops[f"PSNR and SSIM by scikit-image{words}"] = partial(loop, *view, pixels=False)
        loops[f"the same, and MAE, MSE and SAM by numpy{words}"] = partial(loop, *view, pixels=True)
    seconds = median_seconds(arguments.runs, ours | loops)
    rows = (
        (device, f"{seconds[device] * 1e3:.0f} ms", name, f"{seconds[name] * 1e3:.0f} ms", f"{ratio:.1f}")
        for device in devices
        for name, ratio in ((name, seconds[name] / seconds[device]) for name in loops)
    )
    print_table(("device", "all scores", "loops", "time of the loops", "ratio"), rows)


def score(generated: "torch.Tensor", real: "torch.Tensor", opacity: "torch.Tensor") -> object:
    from src.rsgan.evaluation.metrics.images import opacity_region, score_frames

    return score_frames(generated, real, opacity_region(opacity)).of_view()


def loop(generated: "torch.Tensor", real: "torch.Tensor", *, pixels: bool) -> list[float]:
    """Score frame by frame in both protocols: each band image, and if asked for all pixels' differences and angles."""
    import numpy as np
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    gaussian = {"gaussian_weights": True, "use_sample_covariance": False, "sigma": 1.5}
    scores = []
    for frames in zip(generated.numpy(), real.numpy(), strict=True):
        for one, other in ([np.maximum(frame, 0) for frame in frames], [(frame + 1) / 2 for frame in frames]):
            for a, b in zip(one, other, strict=True):
                peak = max(a.max(), b.max())
                scores.append(peak_signal_noise_ratio(b / peak, a / peak, data_range=1))
                scores.append(structural_similarity(b / peak, a / peak, data_range=1, **gaussian))
            if pixels:
                difference = one - other
                norms = [np.maximum(np.square(frame).sum(axis=0), 1e-12) for frame in (one, other)]
                cosine = (one * other).sum(axis=0) / np.sqrt(norms[0] * norms[1])
                angles = np.arccos(np.clip(cosine, -1, 1))
                scores += [np.abs(difference).mean(), np.square(difference).mean(), angles.mean()]
    return scores


if __name__ == "__main__":
    sys.exit(run(build_parser(), main))
