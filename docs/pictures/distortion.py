"""Draw distortion.jpg beside this file: a large scene, the same distorted, what a coarse sensor sees, and the scale."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT))

from src.toygeneration.config_files import DerivationConfig, GenerationConfig  # noqa: E402
from src.toygeneration.derivation import DerivedProduct  # noqa: E402
from src.toygeneration.frames import FrameSource  # noqa: E402
from src.toygeneration.product import Product  # noqa: E402
from utils import config  # noqa: E402
from utils.colours import to_picture  # noqa: E402

TEMPLATES = ROOT / "src" / "toygeneration" / "config" / "templates"
SEED, STEP, STRIPS = 73, 9, 16
OVER: dict[str, Any] = {
    "ts": {"path": "sktime:BasicMotions"},  # in place of what must be downloaded
    "random_sampler": {"name": "gaussian", "std": 0.2},  # parcels are easier to see
}


def products() -> dict[str, FrameSource]:
    content = config.merge(config.load(TEMPLATES / "generation_large_scene.yaml"), OVER)
    scene = GenerationConfig.model_validate(content)
    sensor = config.load(TEMPLATES / "derivation_medium_resolution.yaml")
    latent = Product(scene, scene.ts.read(), SEED)
    distorting = {"target_size": {"width": 2048, "height": 2048}, "deformation": sensor["deformation"]}
    return {
        "latent": latent,
        "distorted": DerivedProduct(DerivationConfig.model_validate(distorting), latent, SEED),
        "derived": DerivedProduct(DerivationConfig.model_validate(sensor), latent, SEED),
    }


def show(axis: Axes, name: str, product: FrameSource, source: np.ndarray, size: int) -> None:
    """Show a frame, with lines that are equally far apart on the ground."""
    features = product.features
    lands = np.interp(np.linspace(0, size, STRIPS + 1)[1:-1], source, np.linspace(0, features.width, len(source)))
    axis.imshow(to_picture(product.read(STEP)["frame"]), interpolation="nearest")
    axis.vlines(lands, 0, features.height, colors="white", linewidth=0.8)
    axis.set_title(f"{name}, {features.width} x {features.height}", loc="left")
    axis.set(xticks=[], yticks=[])


def plot_scale(axis: Axes, source: np.ndarray, size: int) -> None:
    """Plot how many columns of the distorted frame one of the latent frame takes: the formula, and what nodes make."""
    ground = np.linspace(0, size, 500)
    share = 1 / (1 + np.exp(-4 / size * (ground - size / 2)))
    axis.plot(ground, 4 * share * (1 - share), label="formula")
    axis.step(source[2:-1], 1 / np.gradient(source)[2:-1], label="6 mesh nodes")
    axis.set(ylim=(0, 1.1), xlabel="column of the latent frame")
    axis.set_title("distorted columns per latent column", loc="left")
    axis.legend(loc="lower center")


def main() -> None:
    shown = products()
    size = shown["latent"].features.width
    sensor = DerivationConfig.model_validate(config.load(TEMPLATES / "derivation_medium_resolution.yaml"))
    source = sensor.deformation.source_coordinates(size)
    figure = Figure(figsize=(17, 4.6), dpi=80, layout="constrained")
    axes = figure.subplots(1, 4, width_ratios=[size / 2048, 1, 1, 0.8])
    for axis, (name, product) in zip(axes, shown.items(), strict=False):
        show(axis, name, product, np.arange(size) if name == "latent" else source, size)
    plot_scale(axes[-1], source, size)
    figure.savefig(HERE / "distortion.jpg", pil_kwargs={"quality": 80})


if __name__ == "__main__":
    main()
