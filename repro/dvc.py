"""Prepare the pipeline: initialise DVC where it is missing, place its cache and the data, choose the profile.

Run it as often as you like: what is as asked for stays as it is. Then `dvc repro` makes everything.
"""

import argparse
import logging
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # run as a script, Python looks for modules beside the script
    sys.path.insert(0, str(ROOT))

from utils.cli import Parser, run  # noqa: E402
from utils.errors import RunError, UsageError  # noqa: E402

PROFILES = ROOT / "repro" / "profiles"
PARAMS = ROOT / "params.yaml"
DATA = ROOT / "data"
DEFAULT_CACHE = ROOT / ".dvc" / "cache"
# Links instead of copies: results are never changed in place, so that a file and its copy in the cache may be one.
SETTINGS = {
    "core.analytics": "false",
    "core.check_update": "false",
    "cache.type": "reflink,hardlink,symlink,copy",
}
logger = logging.getLogger(__name__)


def build_parser() -> Parser:
    """Describe the command line."""
    parser = Parser(__doc__)
    parser.add_argument(
        "--profile", choices=profiles(), help="what params.yaml should hold; one of repro/profiles (default: leave it)"
    )
    parser.add_argument("--link", type=Path, metavar="DIR", help="folder that data/ becomes a link to (default: none)")
    parser.add_argument(
        "--cache", type=Path, metavar="DIR", help="DVC's cache (default: leave it, at first .dvc/cache)"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace a params.yaml that has changes of your own")
    return parser


def main(arguments: argparse.Namespace) -> None:
    """Prepare."""
    if arguments.profile:
        choose(arguments.profile, overwrite=arguments.overwrite)
    initialise()
    if arguments.link:
        link(arguments.link)
    if arguments.cache:
        cache(arguments.cache)
    logger.info("ready: dvc repro")


def profiles() -> list[str]:
    """List the profiles.

    Returns:
        Their names, sorted.
    """
    return sorted(file.stem for file in PROFILES.glob("*.yaml"))


def choose(name: str, *, overwrite: bool) -> None:
    """Put a profile into params.yaml.

    Args:
        name: of the profile.
        overwrite: also where params.yaml holds something else than a profile.

    Raises:
        UsageError: If params.yaml holds something that would be lost.
    """
    from utils.files import new_file

    known = {profile: (PROFILES / f"{profile}.yaml").read_bytes() for profile in profiles()}
    held = PARAMS.read_bytes() if PARAMS.exists() else known[name]
    if held not in known.values() and not overwrite:
        raise UsageError(
            f"{PARAMS.name}: found changes of your own, which another profile would replace; keep them as a file in "
            f"{PROFILES.relative_to(ROOT)}, or pass --overwrite"
        )
    if held != known[name] or not PARAMS.exists():
        with new_file(PARAMS) as temporary:
            temporary.write_bytes(known[name])
    logger.info("%s: %s", PARAMS.name, name)


def initialise() -> None:
    """Make `.dvc` where it is missing.

    Raises:
        RunError: If DVC fails.
    """
    if (ROOT / ".dvc" / "config").is_file():
        return
    dvc("init", "--quiet", *([] if (ROOT / ".git").exists() else ["--no-scm"]))
    for key, value in SETTINGS.items():
        dvc("config", key, value)


def link(folder: Path) -> None:
    """Make `data` a link to a folder elsewhere.

    Args:
        folder: the folder; made where it doesn't exist.

    Raises:
        UsageError: If `data` is a folder of its own with something in it, or a link to another one.
        RunError: If DVC fails.
    """
    folder = folder.expanduser().resolve()
    if folder == DATA.resolve():
        return
    if DATA.is_symlink():
        raise UsageError(f"data: found a link to {DATA.resolve()}, expected none or one to {folder}; remove it first")
    if DATA.exists() and any(DATA.iterdir()):
        raise UsageError(f"data: found files, which a link would hide; move them to {folder}, remove data, run again")
    folder.mkdir(parents=True, exist_ok=True)
    if DATA.exists():
        DATA.rmdir()
    DATA.symlink_to(folder, target_is_directory=True)
    # DVC would refuse to write what it tracks outside of git's tree; git ignores data/ anyway.
    dvc("config", "--local", "core.no_scm", "true")
    logger.info("data: link to %s", folder)


def cache(folder: Path) -> None:
    """Place DVC's cache.

    Args:
        folder: the folder; made where it doesn't exist.

    Raises:
        RunError: If DVC fails.
    """
    folder = folder.expanduser().resolve()
    folder.mkdir(parents=True, exist_ok=True)
    if folder == DEFAULT_CACHE:
        dvc("config", "--local", "--unset", "cache.dir", may_fail=True)
    else:
        dvc("config", "--local", "cache.dir", str(folder))
    logger.info("cache: %s", folder)


def dvc(*arguments: str, may_fail: bool = False) -> None:
    """Run DVC.

    Args:
        arguments: of its command line.
        may_fail: whether it may find nothing to do.

    Raises:
        RunError: If it fails.
    """
    done = subprocess.run(
        [sys.executable, "-m", "dvc", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode and not may_fail:
        raise RunError(f"dvc {' '.join(arguments)}: {done.stderr.strip()}; see https://dvc.org/doc")


if __name__ == "__main__":
    sys.exit(run(build_parser(), main))
