"""The README's commands and examples work as they are written."""

import os
import re
import subprocess
import textwrap
from pathlib import Path

import pytest
import yaml

from tests.conftest import DERIVATION, GENERATION, ROOT, change, check_out, load_script, python

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, flags=re.DOTALL)


def block(language: str, containing: str) -> str:
    (found,) = [text for kind, text in BLOCKS if kind == language and containing in text]
    return textwrap.dedent(found)


def run(command: str, checkout: Path, *, expected: int = 0) -> subprocess.CompletedProcess[str]:
    """Run a shell command with this interpreter as `python`."""
    path = f"{Path(python()[0]).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euc", command],
        cwd=checkout,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == expected, done.stderr
    return done


def test_make_a_scene_degrade_it_and_read_it(checkout: Path) -> None:
    run(block("bash", "run_toy_derivation.py"), checkout)
    assert (checkout / "data/mine/preview.png").is_file()
    assert (checkout / "data/mine/preview.gif").is_file()
    example = block("python", "ProductDataset") + "\nprint(sample['frame'].shape, sample['cloud'].shape)"
    assert run(f"python - <<'END'\n{example}\nEND", checkout).stdout == "(64, 64, 3) (64, 64)\n"


def test_one_file_and_a_configuration_add_a_transform(checkout: Path) -> None:
    (checkout / "src/toygeneration/modules/postprocesses/haze.py").write_text(block("python", "class Haze"))
    (checkout / "scene.yaml").write_text(yaml.safe_dump(GENERATION))
    (checkout / "plain.yaml").write_text(yaml.safe_dump(DERIVATION))
    (checkout / "hazy.yaml").write_text("base: plain.yaml\n" + block("yaml", "name: haze"))
    run("python run_toy_generation.py --cfg=scene.yaml --o=scene", checkout)
    run("python run_toy_derivation.py --cfg=hazy.yaml --o=hazy --product=scene", checkout)
    code = (
        "from src.toygeneration.export import ProductDataset as P; import numpy as np\n"
        "x, y = P('scene').frame(0), P('hazy').frame(0)\n"
        "print(np.allclose(x[0], y[0]), np.allclose(y[-1], x[-1] * 0.7 + 0.3))"
    )
    assert run(f'python -c "{code}"', checkout).stdout == "True True\n"


@pytest.fixture(scope="module")
def small_demo(tmp_path_factory: pytest.TempPathFactory, compiled: None) -> Path:
    """A checkout with eight views of the demo, whose networks train for one epoch, and one judge that learns fast."""
    checkout = check_out(tmp_path_factory.mktemp("demo") / "checkout")
    file = checkout / "src/rsgan/config/demo.yaml"
    text = file.read_text().replace("train: 1-28, val: 29-34, test: 35-40", "train: 1-6, val: 7, test: 35")
    text = re.sub(r" *- \{name: minirocket.*\n", "", text).replace(
        "name: hist_gradient_boosting", "name: logistic_regression"
    )
    file.write_text(re.sub(r"max_epochs: \d+", "max_epochs: 1", text))
    task = "--task=cloud_removal --cfg=src/toygeneration/config/demo.yaml"
    run(f"python repro/toy-data/build_dataset.py {task} --seeds=1-7,35 --njobs=1 --o=data/demo/cloud_removal", checkout)
    return checkout


def test_train_evaluate_and_compare(small_demo: Path) -> None:
    run(block("bash", "run_training.py"), small_demo)
    table = run(block("bash", "run_testing.py"), small_demo).stdout
    results = small_demo / "data/mine/experiments"
    assert (results / "cgan_toy_cloud_removal/run/metrics.csv").is_file()
    assert sorted(path.parents[1].name for path in results.rglob("metrics.json")) == [
        "cgan_toy_cloud_removal",
        "linear_interpolation",
    ]
    assert "| cgan_toy_cloud_removal | 1 |" in table


def test_a_model_of_ones_own_is_trained_and_scored(small_demo: Path) -> None:
    text = (ROOT / "docs/open.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```(\w+)\n(.*?)```", text, flags=re.DOTALL)
    commands = [block for language, block in blocks if language == "bash"]
    judges = next(block for block in commands if "make_reference_classifier" in block)
    run(judges[judges.index("python make_reference") :], small_demo)
    code = "\n".join(block for language, block in blocks if language == "python").replace("range(5)", "range(1)")
    run(f"python -W error - <<'END'\n{code}\nEND", small_demo)
    table = run(next(block for block in commands if "--predictions=" in block), small_demo).stdout
    assert "| mine | 1 |" in table


def test_a_few_lines_add_an_experiment_without_radar_and_a_baseline(small_demo: Path) -> None:
    config, scale = "src/rsgan/config/cloud_removal", "src/rsgan/config/demo.yaml"
    for path, text in (
        (f"{config}/cgan_optical_only.yaml", block("yaml", "sources: [clouded_optical]")),
        ("src/rsgan/baselines/last_clear_value.py", block("python", "class LastClearValue")),
        (f"{config}/last_clear_value.yaml", block("yaml", "name: last_clear_value")),
    ):
        assert f"`{path}`" in README
        (small_demo / path).write_text(text)
    file = f"{config}/cgan_optical_only.yaml"
    run(f"python run_training.py --cfg={file} --cfg={scale} --o=out --experiment_name=mine", small_demo)
    assert (small_demo / "out/mine/checkpoints/best.ckpt").is_file()
    shown = run(f"python run_testing.py --cfg={config}/last_clear_value.yaml --o=out", small_demo, expected=2).stderr
    assert "dataset.root: data/toy/cloud_removal: no such folder" in shown
    params = small_demo / "params.yaml"
    name = "cloud_removal/cgan_optical_only"
    assert f"`{name}` to `experiments`" in README
    params.write_text(params.read_text().replace("experiments:\n", f"experiments:\n  - {name}\n", 1))
    shown = run("python repro/dvc.py && dvc repro --dry --force", small_demo).stdout
    for stage in ("train", "test"):
        assert f"'{stage}@{name}-17'" in shown


def test_yaml_adds_a_data_set(checkout: Path) -> None:
    """Views are those of another in all but their texture, and so is what is trained on them."""
    from src.rsgan.configuration import ExperimentConfig
    from src.toygeneration.dataset.recipe import Recipe
    from utils.config import read

    name, scenes = "cloud_removal_smooth", checkout / "src/toygeneration/config"
    latent, base = block("yaml", "length_scale: 10"), "base: ../cloud_removal/optical/generation_latent_optical.yaml"
    assert latent.startswith(base)
    for product in ("latent_optical", "latent_sar", "clean_optical", "clouded_optical", "sar"):
        kind = "generation" if product.startswith("latent") else "derivation"
        place = f"../cloud_removal/{'sar' if 'sar' in product else 'optical'}/{kind}_{product}.yaml"
        assert f"`{kind}_{product}.yaml`" in README
        file = scenes / name / f"{kind}_{product}.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(latent.replace(base, f"base: {place}") if kind == "generation" else f"base: {place}\n")
    made, like = (Recipe.load(scenes / task, scenes / "demo.yaml") for task in (name, "cloud_removal"))
    found, expected = made.model_dump(), like.model_dump()
    for generation in expected["generations"].values():
        generation["random_sampler"]["kernel"]["length_scale"] = 10
    assert found == expected

    config = checkout / "src/rsgan/config"
    (config / f"base/{name}.yaml").write_text(block("yaml", f"name: toy_{name}"))
    (config / name).mkdir()
    example = block("yaml", "../cloud_removal/linear_interpolation")
    for file in (config / "cloud_removal").glob("*.yaml"):
        (config / name / file.name).write_text(example.replace("linear_interpolation", file.stem))
        found, expected = (
            read(ExperimentConfig, [config / task / file.name, config / "demo.yaml"]).model_dump(mode="json")
            for task in (name, "cloud_removal")
        )
        for section, key in (("dataset", "name"), ("dataset", "root"), ("testing", "reference_classifier_path")):
            new, old = str(found[section].pop(key)), str(expected[section].pop(key))
            assert new == old.replace("cloud_removal", name)
        assert found == expected


def test_commands_name_options_that_exist(checkout: Path) -> None:
    """Those that take too long or need a network: with `--help` added, a wrong option is still refused."""
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES).replace("\\\n", " ")
    blocks = re.findall(r"```bash\n(.*?)```", text, flags=re.DOTALL)
    commands = {line for block in blocks for line in block.splitlines() if line.startswith("python ")}
    assert len(commands) > 20
    known = {
        script: set(re.findall(r"--[a-z]+", run(f"python {script} --help", checkout).stdout))
        for script in {command.split()[1] for command in commands}
    }
    for command in commands:
        assert set(re.findall(r"--[a-z]+", command)) <= known[command.split()[1]], command


def test_the_error_shown_is_the_error_given(checkout: Path) -> None:
    """The example's scene with the example's two mistakes."""
    (shown,) = re.findall(r"```\n(run_toy.*?)```", README, flags=re.DOTALL)
    scene = change(GENERATION, product__horizon=0, product__n_polygon=3)
    (checkout / "mine.yaml").write_text(yaml.safe_dump(scene))
    done = subprocess.run(
        python("run_toy_generation.py", "--cfg=mine.yaml", "--o=x"),
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith(shown.split("…")[0])


def test_the_finding_is_drawn_from_the_results() -> None:
    drawn = load_script("docs/pictures/finding.py").draw()
    found = (ROOT / "docs/pictures/finding.svg").read_text(encoding="utf-8")
    assert found == drawn, "run python docs/pictures/finding.py"


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert target.startswith("http") or (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_configuration_key_is_documented() -> None:
    """A page names each field of each registered class."""
    from src.rsgan.configuration import EarlyStopping, ExperimentConfig, ModelCheckpoint, Testing
    from src.rsgan.data.datasets import Dataloader, DatasetConfig
    from src.rsgan.evaluation.classifiers import CLASSIFIERS
    from src.rsgan.experiments import EXPERIMENTS
    from src.rsgan.experiments.optimization import Adam
    from src.rsgan.models import NETWORKS
    from src.rsgan.models.layers import Layer
    from src.toygeneration import config_files as files
    from src.toygeneration.modules.aggregations import AGGREGATIONS
    from src.toygeneration.modules.corruptions import CORRUPTIONS, moving_clouds
    from src.toygeneration.modules.deformations import DEFORMATIONS
    from src.toygeneration.modules.kernels import KERNELS
    from src.toygeneration.modules.postprocesses import POSTPROCESSES
    from src.toygeneration.modules.samplers import SAMPLERS

    pages = ("generation", "derivation", "experiments")
    generation, derivation, experiments = ((ROOT / "docs" / f"{page}.md").read_text() for page in pages)
    for text, kinds in (
        (
            generation,
            [files.GenerationConfig, files.TimeSeries, files.HeldOut, files.Scene, *SAMPLERS.entries.values()],
        ),
        (generation, [*KERNELS.entries.values()]),
        (
            derivation,
            [moving_clouds.Wind, moving_clouds.Layer, moving_clouds.Shadow, files.Lost, files.Misregistration],
        ),
        (derivation, [files.DerivationConfig, *CORRUPTIONS.entries.values(), *DEFORMATIONS.entries.values()]),
        (derivation, [*AGGREGATIONS.entries.values(), *POSTPROCESSES.entries.values()]),
        (experiments, [ExperimentConfig, Adam, EarlyStopping, ModelCheckpoint, *CLASSIFIERS.entries.values(), Testing]),
        (experiments, [Dataloader, DatasetConfig, Layer]),
        (experiments, [*NETWORKS.entries.values(), *EXPERIMENTS.entries.values()]),
    ):
        fields = {name for kind in kinds for name in kind.model_fields} - {"name", "reference_dataset_path"}
        assert {name for name in fields if name not in text} == set()
