"""Prepare the pipeline: initialise DVC where it is missing, place its cache and the data, choose the profile.

Run it as often as you like: what is as asked for stays as it is. Then `dvc repro` makes everything.
"""

import argparse
import fcntl
import logging
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # run as a script, Python looks for modules beside the script

from utils.cli import Parser, path_argument, run  # noqa: E402
from utils.errors import UsageError  # noqa: E402

PROFILES = ROOT / "repro" / "profiles"
PARAMS = ROOT / "params.yaml"
DATA = ROOT / "data"
DVC = ROOT / ".dvc"
SETTINGS = {
    "core.analytics": "false",
    "core.check_update": "false",
    # Results are never changed in place, so that a file and its copy in the cache may be one. Named first, hard links
    # are made at once; with "copy" or "reflink" in the list, DVC takes the copy that it has made already for good.
    "cache.type": "hardlink,symlink",
}
logger = logging.getLogger(__name__)


def build_parser() -> Parser:
    parser = Parser(__doc__)
    parser.add_argument(
        "--profile", choices=profiles(), help="what params.yaml should hold; one of repro/profiles (default: leave it)"
    )
    folder = {"type": path_argument, "metavar": "DIR"}
    parser.add_argument("--link", **folder, help="folder that data/ becomes a link to (default: none)")
    parser.add_argument("--cache", **folder, help="DVC's cache (default: leave it, at first .dvc/cache)")
    parser.add_argument("--overwrite", action="store_true", help="replace a params.yaml that has changes of your own")
    return parser


def main(arguments: argparse.Namespace) -> None:
    if arguments.profile:
        choose(arguments.profile, overwrite=arguments.overwrite)
    if arguments.link:
        link(arguments.link.resolve())
    initialise(arguments.cache and arguments.cache.resolve())
    logger.info("ready: dvc repro")


def profiles() -> list[str]:
    return sorted(file.stem for file in PROFILES.glob("[!.]*.yaml"))


def choose(name: str, *, overwrite: bool) -> None:
    """Put a profile into params.yaml, unless it holds something that would be lost."""
    from utils.files import new_file

    known = {profile: (PROFILES / f"{profile}.yaml").read_bytes() for profile in profiles()}
    held = PARAMS.read_bytes() if PARAMS.exists() else None
    if held not in (None, *known.values()) and not overwrite:
        raise UsageError(
            f"{PARAMS.name}: found changes of your own, which another profile would replace; keep them as a file in "
            f"{PROFILES.relative_to(ROOT)}, or pass --overwrite"
        )
    if held != known[name]:
        with new_file(PARAMS) as temporary:
            temporary.write_bytes(known[name])
    logger.info("%s: %s", PARAMS.name, name)


def link(folder: Path) -> None:
    """Make `data` a link to a folder elsewhere, which is made where it doesn't exist."""
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
    logger.info("data: link to %s", folder)


def initialise(cache: Path | None) -> None:
    """Make `.dvc` where it is missing, and suit it to where the project lies; the cache is made where it is missing."""
    DVC.mkdir(exist_ok=True)
    configure(DVC / "config", SETTINGS)
    locks = has_locks(DVC)
    settings = {
        # DVC asks git what it ignores, and refuses to write what lies outside of git's tree; git ignores data/ anyway.
        "core.no_scm": None if (ROOT / ".git").exists() and not DATA.is_symlink() else "true",
        "core.hardlink_lock": None if locks else "true",
    }
    if cache:
        cache.mkdir(parents=True, exist_ok=True)
        settings["cache.dir"] = None if cache == DVC / "cache" else str(cache)
        logger.info("cache: %s", cache)
    changed = configure(DVC / "config.local", settings)  # of this copy of the project
    if not locks:
        logger.info("%s: this file system locks no files; DVC locks by links instead", ROOT)
        for name in ("lock", "rwlock.lock") if changed else ():  # which DVC leaves when it locks the other way
            (DVC / "tmp" / name).unlink(missing_ok=True)


def has_locks(folder: Path) -> bool:
    """Say whether files can be locked there, as DVC does lest two processes run at once."""
    with tempfile.TemporaryFile(dir=folder) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
    return True


def configure(file: Path, settings: Mapping[str, str | None]) -> bool:
    """Set some of DVC's settings, or remove those that are None; say whether they weren't so already."""
    from configobj import ConfigObj  # what DVC reads and writes them with; DVC itself takes a second for each

    found = ConfigObj(str(file), indent_type="    ", encoding="utf-8")
    before = found.dict()
    for key, value in settings.items():
        section, name = key.split(".")
        if value is None:
            found.get(section, {}).pop(name, None)
        else:
            found.setdefault(section, {})[name] = value
    if changed := found.dict() != before:
        found.write()
    return changed


if __name__ == "__main__":
    sys.exit(run(build_parser(), main))
