"""The scripts one after another, as somebody would run them whose shell is set up for other things, from elsewhere."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT, python
from tests.rsgan.conftest import CGAN, shrink
from utils.config import load

CONFIG = ROOT / "src/toygeneration/config"
SIZE = {"width": 16, "height": 16}
TINY = {
    "generation": {"product": {"size": SIZE, "horizon": 6}},
    "derivation": {"target_size": SIZE, "deformation": None},
    "clouds": {"corruption": {"sampling_scale": 8}},
}
# How a shell can leave a script's streams: closed, on a full disk, or with nobody who reads.
STREAMS = ("<&- >&- 2>&-", "> /dev/full 2> /dev/full", "2>&1 | true; exit ${PIPESTATUS[0]}")


def options(**paths: Path) -> list[str]:
    return [f"--{name}={path}" for name, path in paths.items()]


@pytest.fixture
def steps(tmp_path: Path, compiled: None) -> dict[str, list[Any]]:
    """Every script that has an ordinary user's work to do, on what those before it leave."""
    content = shrink(load(CGAN), {"toy_cloud_removal": tmp_path / "set"}, experiment__max_epochs=1)
    cfg, judge, runs = tmp_path / "experiment.yaml", tmp_path / "judge", tmp_path / "runs"
    cfg.write_text(yaml.safe_dump(content | {"testing": {"reference_classifier_path": str(judge / "classifier.npz")}}))
    tiny = tmp_path / "tiny.yaml"
    tiny.write_text(yaml.safe_dump({"over": {str(CONFIG / f"base/{name}.yaml"): part for name, part in TINY.items()}}))
    data = [f"--cfg={CONFIG}/cloud_removal", *options(cfg=CONFIG / "demo.yaml"), *options(cfg=tiny, o=tmp_path / "set")]
    report = options(experiments=runs, classifiers=judge, data=tmp_path / "set", o=tmp_path / "report")
    return {
        "repro/toy-data/build_dataset.py": ["--task=cloud_removal", "--seeds=1-8", *data],
        "make_reference_classifier.py": options(cfg=cfg, o=judge),
        "run_training.py": options(cfg=cfg, o=runs),
        "run_testing.py": options(cfg=cfg, o=runs),
        "utils/preview.py": [tmp_path / "set/1/clouded_optical", *options(o=tmp_path / "sheet.png")],
        "utils/score_table.py": [runs, *options(o=tmp_path / "table")],
        "repro/make_report.py": report,
    }


def test_every_script_runs_in_any_environment(
    steps: dict[str, list[Any]], hostile: dict[str, str], tmp_path: Path
) -> None:
    for number, (script, arguments) in enumerate(steps.items()):
        command = " ".join([*python(str(ROOT / script), *map(str, arguments)), STREAMS[number % len(STREAMS)]])
        done = subprocess.run(["bash", "-c", command], cwd=tmp_path, env=hostile, capture_output=True, check=False)
        assert done.returncode == 0, (script, done.stderr)
    made = ("judge/classifier.npz", "runs/*/checkpoints/best.ckpt", "runs/*/eval/test_scores.json")
    for name in (*made, "sheet.png", "table/scores.md", "report/*.html"):
        assert list(tmp_path.glob(name)), name
