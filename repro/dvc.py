"""Prepare the pipeline: initialise DVC where it is missing, place its cache and the data, choose the profile.

Run it as often as you like: what is as asked for stays as it is. Then `dvc repro` makes everything.
"""

import argparse
import fcntl
import logging
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # run as a script, Python looks for modules beside the script

from utils.cli import Parser, run  # noqa: E402
from utils.errors import UsageError  # noqa: E402

PROFILES = ROOT / "repro" / "profiles"
PARAMS = ROOT / "params.yaml"
DATA = ROOT / "data"
DEFAULT_CACHE = ROOT / ".dvc" / "cache"
CONFIG, LOCAL = ".dvc/config", ".dvc/config.local"  # of the project, and of this copy of it
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
    parser.add_argument("--link", type=Path, metavar="DIR", help="folder that data/ becomes a link to (default: none)")
    parser.add_argument(
        "--cache", type=Path, metavar="DIR", help="DVC's cache (default: leave it, at first .dvc/cache)"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace a params.yaml that has changes of your own")
    return parser


def main(arguments: argparse.Namespace) -> None:
    if arguments.profile:
        choose(arguments.profile, overwrite=arguments.overwrite)
    if arguments.link:
        link(arguments.link)
    initialise()
    if arguments.cache:
        cache(arguments.cache)
    logger.info("ready: dvc repro")


def profiles() -> list[str]:
    return sorted(file.stem for file in PROFILES.glob("[!.]*.yaml"))


def choose(name: str, *, overwrite: bool) -> None:
    """Put a profile into params.yaml, unless it holds something that would be lost."""
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


def link(folder: Path) -> None:
    """Make `data` a link to a folder elsewhere, which is made where it doesn't exist."""
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
    logger.info("data: link to %s", folder)


def initialise() -> None:
    """Make `.dvc` where it is missing, and suit it to where the project lies."""
    in_git = (ROOT / ".git").exists()
    (ROOT / CONFIG).parent.mkdir(exist_ok=True)
    for key, value in SETTINGS.items():
        configure(CONFIG, key, value)
    # DVC asks git what it ignores, and refuses to write what lies outside of git's tree; git ignores data/ anyway.
    configure(LOCAL, "core.no_scm", None if in_git and not DATA.is_symlink() else "true")
    if not has_locks(ROOT / ".dvc"):
        logger.info("%s: this file system locks no files; DVC locks by links instead", ROOT)
        if configure(LOCAL, "core.hardlink_lock", "true"):
            for name in ("lock", "rwlock.lock"):  # which DVC leaves when it locks the other way
                (ROOT / ".dvc" / "tmp" / name).unlink(missing_ok=True)
    else:
        configure(LOCAL, "core.hardlink_lock", None)


def has_locks(folder: Path) -> bool:
    """Say whether files can be locked there, as DVC does lest two processes run at once."""
    with tempfile.TemporaryFile(dir=folder) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
    return True


def cache(folder: Path) -> None:
    """Place DVC's cache in a folder, which is made where it doesn't exist."""
    folder = folder.expanduser().resolve()
    folder.mkdir(parents=True, exist_ok=True)
    configure(LOCAL, "cache.dir", None if folder == DEFAULT_CACHE else str(folder))
    logger.info("cache: %s", folder)


def configure(file: str, key: str, value: str | None) -> bool:
    """Set one of DVC's settings, or remove it; say whether it wasn't so already."""
    from configobj import ConfigObj  # what DVC reads and writes them with; DVC itself takes a second for each

    found = ConfigObj(str(ROOT / file), indent_type="    ", encoding="utf-8")
    section, name = key.split(".")
    settings = found.setdefault(section, {})
    if settings.get(name) == value:
        return False
    if value is None:
        del settings[name]
    else:
        settings[name] = value
    found.write()
    return True


if __name__ == "__main__":
    sys.exit(run(build_parser(), main))
