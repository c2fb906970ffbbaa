"""Draw moving_clouds.gif beside this file: a small scene under the clouds of `base/moving_clouds.yaml`."""

import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT))

from src.toygeneration.config_files import DerivationConfig, GenerationConfig  # noqa: E402
from src.toygeneration.derivation import DerivedProduct  # noqa: E402
from src.toygeneration.export import ProductDataset, export  # noqa: E402
from src.toygeneration.product import Product  # noqa: E402
from utils.config import load, merge  # noqa: E402
from utils.preview import draw_animation  # noqa: E402

BASE = ROOT / "src" / "toygeneration" / "config" / "base"
SEED, SIZE = 5, {"width": 144, "height": 144}
OVER = {
    "ts": {"path": "sktime:BasicMotions", "nclass": 4},  # in place of what must be downloaded
    "product": {"size": SIZE},
    "random_sampler": {"name": "gaussian", "std": 0.04},  # shadows are easier to see
}


def main() -> None:
    scene = GenerationConfig.model_validate(merge(load(BASE / "generation.yaml"), OVER))
    sensor = DerivationConfig.model_validate(load(BASE / "moving_clouds.yaml") | {"target_size": SIZE})
    latent = Product(scene, scene.ts.read(), SEED)
    with tempfile.TemporaryDirectory() as folder:
        clouded = Path(folder) / "clouded"
        export({clouded: DerivedProduct(sensor, latent, sensor.seed)})
        draw_animation([ProductDataset(clouded)], HERE / "moving_clouds.gif")


if __name__ == "__main__":
    main()
