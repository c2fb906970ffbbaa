"""Run the pipeline's stages without DVC, in one process, for as long as there is time.

For machines that are lent for minutes: the stages and their commands are those of dvc.yaml with params.yaml (or the
profile that --profile names). A stage is run if its results are missing, and it or what needs it is asked for.
When time is up, training writes a checkpoint; run the same command again to go on. What has been edited since is not
noticed: `dvc repro` does that.
"""

import argparse
import contextlib
import fnmatch
import gc
import importlib.util
import itertools
import logging
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # run as a script, Python looks for modules beside the script
    sys.path.insert(0, str(ROOT))

from utils.cli import INTERRUPTED, Parser, run  # noqa: E402
from utils.errors import RunError, UsageError  # noqa: E402

REMOVED = "removed.txt"
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stage:
    """One command of the pipeline.

    Attributes:
        name: as DVC names it.
        command: script and arguments.
        needs: files and folders that it reads: data, code and configurations.
        makes: files and folders that it writes.
    """

    name: str
    command: tuple[str, ...]
    needs: tuple[str, ...]
    makes: tuple[str, ...]

    @property
    def done(self) -> bool:
        """Whether all results are there, or were, until `slim` removed them."""
        paths = [ROOT / path for path in self.makes]
        return all(path.exists() or (path.parent / REMOVED).exists() for path in paths)

    def feeds(self, other: "Stage") -> bool:
        """Say whether another stage reads results of this one."""
        return any(_overlap(made, needed) for made in self.makes for needed in other.needs)


def build_parser() -> Parser:
    """Describe the command line."""
    parser = Parser(__doc__)
    parser.add_argument(
        "stages", nargs="*", default=["*"], metavar="STAGE", help="names or patterns such as '*_cloud_removal@*-17'"
    )
    parser.add_argument("--profile", metavar="NAME", help="of repro/profiles, instead of params.yaml")
    parser.add_argument("--minutes", type=float, metavar="N", help="time there is (default: no limit)")
    parser.add_argument("--device", metavar="IDS", help="instead of the profile's")
    parser.add_argument("--collect", type=Path, metavar="DIR", help="copy scores, tables, pictures and logs there")
    parser.add_argument("--slim", action="store_true", help="remove checkpoints when what they made has been tested")
    return parser


def main(arguments: argparse.Namespace) -> None:
    """Run."""
    params = read_params(arguments.profile)
    if arguments.device:
        params["device"] = arguments.device
    stages = read_stages(params)
    chosen = [stage for stage in stages if any(fnmatch.fnmatch(stage.name, one) for one in arguments.stages)]
    if not chosen:
        raise UsageError(
            f"STAGE: found {' '.join(arguments.stages)}, expected one of {', '.join(s.name for s in stages)}"
        )
    shared = re.fullmatch(r"cpu|\d+", str(params["device"])) is not None
    needed = wanted(stages, chosen)
    if shared and any(stage.name.startswith("train_") for stage in needed):
        from src.rsgan.data.datamodule import DECODED

        DECODED.set({})  # reading a data set takes as long as many an epoch
    try:
        with time_limit(arguments.minutes):
            for stage in needed:
                execute(stage, shared=shared)
                if arguments.slim and stage.name.startswith("test_"):
                    slim(stage, stages)
    finally:
        if arguments.collect:
            collect(params, arguments.collect)


def read_params(profile: str | None) -> dict[str, Any]:
    """Read what the pipeline runs with.

    Args:
        profile: name of a profile; None for params.yaml.

    Returns:
        The parameters.

    Raises:
        ConfigError: If there is no such profile, or it cannot be read.
    """
    from utils.config import load

    return load(ROOT / "params.yaml" if profile is None else ROOT / "repro" / "profiles" / f"{profile}.yaml")


def read_stages(params: Mapping[str, Any]) -> list[Stage]:
    """Read the pipeline.

    Args:
        params: what its templates refer to.

    Returns:
        Its stages, in the order in which they can run.

    Raises:
        ConfigError: If dvc.yaml cannot be read.
    """
    from utils.config import load

    return [
        stage for name, content in load(ROOT / "dvc.yaml")["stages"].items() for stage in _expand(name, content, params)
    ]


def _expand(name: str, content: Mapping[str, Any], params: Mapping[str, Any]) -> Iterator[Stage]:
    """All stages that a definition with a matrix stands for."""
    matrix = {key: _resolve(values, params) for key, values in content.get("matrix", {}).items()}
    for values in itertools.product(*matrix.values()):
        scope = {**params, "item": dict(zip(matrix, values, strict=True))}
        suffix = "@" + "-".join(map(str, values)) if matrix else ""
        written = [*content.get("outs", []), *content.get("metrics", []), *content.get("plots", [])]
        yield Stage(
            name + suffix,
            tuple(shlex.split(_resolve(content["cmd"], scope))),
            tuple(_resolve(path, scope) for path in _paths([*content["deps"], *content.get("params", [])])),
            tuple(_resolve(path, scope) for path in _paths(written)),
        )


def _paths(entries: list[Any]) -> list[str]:
    """Paths of what DVC lists either as such or with settings below them."""
    return [next(iter(entry)) if isinstance(entry, dict) else entry for entry in entries]


def _resolve(template: str, scope: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a list where a template is all there is
    """Fill in `${a.b[0]}` as DVC does."""
    whole = re.fullmatch(r"\$\{([^}]+)\}", template)
    if whole:
        return _look_up(whole[1], scope)
    return re.sub(r"\$\{([^}]+)\}", lambda match: str(_look_up(match[1], scope)), template)


def _look_up(path: str, scope: Mapping[str, Any]) -> Any:  # noqa: ANN401 - whatever a YAML file holds
    value: Any = scope
    for key in re.findall(r"[^.\[\]]+", path):
        value = value[int(key)] if isinstance(value, list) else value[key]
    return value


def _overlap(one: str, other: str) -> bool:
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")


def wanted(stages: Sequence[Stage], chosen: Sequence[Stage]) -> list[Stage]:
    """Find out what has to run.

    Args:
        stages: the whole pipeline, in order.
        chosen: what is asked for.

    Returns:
        Those of the chosen, and of those that they need, whose results are missing; in order.
    """
    needed: list[Stage] = []
    for stage in reversed(stages):
        if not stage.done and (stage in chosen or any(stage.feeds(other) for other in needed)):
            needed.insert(0, stage)
    return needed


def execute(stage: Stage, *, shared: bool) -> None:
    """Run a stage's command.

    Args:
        stage: the stage.
        shared: run it in this process, which has imported already what takes seconds to import.

    Raises:
        RunError: If it fails.
        KeyboardInterrupt: If it was interrupted.
    """
    logger.info("%s", stage.name)
    started = time.monotonic()
    _, script, *arguments = stage.command
    if shared:
        status = run(*_load(script), arguments)
        _forget()
    else:
        status = subprocess.run([sys.executable, script, *arguments], cwd=ROOT, check=False).returncode
    if status in (INTERRUPTED, 128 + signal.SIGTERM):
        raise KeyboardInterrupt
    if status:
        raise RunError(f"{stage.name}: ended with status {status}; mend what the line above says, then run again")
    logger.info("%s: %.1f s", stage.name, time.monotonic() - started)


def _load(script: str) -> tuple[Any, Any]:
    """Parser and main function of a script."""
    spec = importlib.util.spec_from_file_location(Path(script).stem, ROOT / script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.build_parser(), module.main


def _forget() -> None:
    """Give back the memory of a stage's data and networks."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()


@contextlib.contextmanager
def time_limit(minutes: float | None) -> Iterator[None]:
    """Interrupt what runs, as Ctrl-C would, when time is up.

    Args:
        minutes: time there is; None for no limit.

    Yields:
        Nothing.
    """
    signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
    signal.setitimer(signal.ITIMER_REAL, 0 if minutes is None else minutes * 60)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def slim(tested: Stage, stages: Sequence[Stage]) -> None:
    """Remove the checkpoints that a tested experiment leaves, gigabytes each at full scale.

    Args:
        tested: a stage that has tested it.
        stages: the whole pipeline.
    """
    for stage in stages:
        if stage.name.startswith("train_") and stage.feeds(tested):
            for folder in {(ROOT / path).parent for path in stage.makes if path.endswith(".ckpt")}:
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                (folder / REMOVED).write_text("Checkpoints were removed after testing, to save space.\n")


def collect(params: Mapping[str, Any], folder: Path) -> None:
    """Copy what is small: scores, tables, pictures and logs, without data, checkpoints and classifiers.

    Args:
        params: of the pipeline.
        folder: where to.
    """
    for kind in ("experiments", "classifiers"):
        for file in sorted((ROOT / params["folders"][kind]).rglob("*")):
            path = file.relative_to(ROOT)
            hidden = any(part.startswith(".") for part in path.parts)
            if file.suffix in (".json", ".csv", ".png", ".yaml") and not hidden and "samples" not in path.parts:
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, folder / path)


if __name__ == "__main__":
    sys.exit(run(build_parser(), main))
