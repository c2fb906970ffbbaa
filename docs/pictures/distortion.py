"""Draw distortion.jpg beside this file: a large scene, the same distorted, what a coarse sensor sees, and the scale."""

import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT))

from src.toygeneration.config_files import DerivationConfig, GenerationConfig  # noqa: E402
from src.toygeneration.derivation import DerivedProduct  # noqa: E402
from src.toygeneration.product import Product  # noqa: E402
from utils.colours import to_picture  # noqa: E402
from utils.config import load, merge  # noqa: E402

TEMPLATES = ROOT / "src" / "toygeneration" / "config" / "templates"
SEED, STEP, STRIPS = 73, 9, 16
OVER = {
    "ts": {"path": "sktime:BasicMotions"},  # in place of what must be downloaded
    "random_sampler": {"name": "gaussian", "std": 0.2},  # parcels are easier to see
}


def main() -> None:
    scene = GenerationConfig.model_validate(merge(load(TEMPLATES / "generation_large_scene.yaml"), OVER))
    content = load(TEMPLATES / "derivation_medium_resolution.yaml")
    sensor = DerivationConfig.model_validate(content)
    distorting = {"target_size": {"width": 2048, "height": 2048}, "deformation": content["deformation"]}
    latent = Product(scene, scene.ts.read(), SEED)
    size = latent.features.width
    source = sensor.deformation.source_coordinates(size)
    shown = {
        "latent": (latent, np.arange(size)),
        "distorted": (DerivedProduct(DerivationConfig.model_validate(distorting), latent, SEED), source),
        "derived": (DerivedProduct(sensor, latent, SEED), source),
    }
    figure = Figure(figsize=(17, 4.6), dpi=80, layout="constrained")
    *axes, scale = figure.subplots(1, 4, width_ratios=[size / 2048, 1, 1, 0.8])
    for axis, (name, (product, columns)) in zip(axes, shown.items(), strict=True):
        # Lines are equally far apart on the ground.
        height, width = product.features.height, product.features.width
        lands = np.interp(np.linspace(0, size, STRIPS + 1)[1:-1], columns, np.linspace(0, width, len(columns)))
        axis.imshow(to_picture(product.read(STEP)["frame"]), interpolation="nearest")
        axis.vlines(lands, 0, height, colors="white", linewidth=0.8)
        axis.set_title(f"{name}, {width} x {height}", loc="left")
        axis.set(xticks=[], yticks=[])
    # How many columns of the distorted frame one of the latent frame takes: the formula, and what nodes make of it.
    ground = np.linspace(0, size, 500)
    share = 1 / (1 + np.exp(-4 / size * (ground - size / 2)))
    scale.plot(ground, 4 * share * (1 - share), label="formula")
    scale.step(source[2:-1], 1 / np.gradient(source)[2:-1], label="6 mesh nodes")
    scale.set(ylim=(0, 1.1), xlabel="column of the latent frame")
    scale.set_title("distorted columns per latent column", loc="left")
    scale.legend(loc="lower center")
    figure.savefig(HERE / "distortion.jpg", pil_kwargs={"quality": 80})


if __name__ == "__main__":
    main()
