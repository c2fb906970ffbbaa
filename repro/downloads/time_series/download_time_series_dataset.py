"""Fetch the time series that the generation configurations read, or those named on the command line.

A data set NAME of the UEA multivariate archive becomes DIR/Multivariate_ts/NAME/NAME_TRAIN.ts and NAME_TEST.ts. Its
folder appears when both are there and, where the md5 sums of the published results are known, have these. Files that
are there already are left as they are, so that an interrupted run is simply run again.
"""

import argparse
import contextlib
import logging
import re
import shutil
import sys
import tempfile
import urllib.request
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import IO
from urllib.error import HTTPError

ROOT = Path(__file__).resolve().parents[3]
if str(ROOT) not in sys.path:  # run as a script, Python looks for modules beside the script
    sys.path.insert(0, str(ROOT))

from utils.cli import Parser, run  # noqa: E402
from utils.errors import DataError, RunError, UsageError  # noqa: E402

CONFIG = ROOT / "src" / "toygeneration" / "config"
COLLECTION = "Multivariate_ts"
PARTS = ("TRAIN", "TEST")
MD5 = {  # of the files from which the published results were computed
    "Epilepsy_TRAIN.ts": "5a91e56945516fe08b857ad5c94337b2",
    "Epilepsy_TEST.ts": "603bf7354d26d8af695dd191486fc3b0",
    "RacketSports_TRAIN.ts": "4d6b5d3351de0361216da67e77cbeaff",
    "RacketSports_TEST.ts": "965e15556649bbd106a480716b765977",
}
# Those of sktime, whose own downloader has no time limit and unpacks whatever an archive holds.
SITES = (
    "https://timeseriesclassification.com/aeon-toolkit",
    "https://github.com/sktime/sktime-datasets/raw/main/TSC",
)
ARCHIVE = "{name}.zip"
LAYOUTS = (f"{COLLECTION}/{{name}}/{{file}}", "{name}/{file}", ARCHIVE)
TIMEOUT = 7.0  # seconds without an answer; two silent sites together take some 15
BLOCK = 1 << 20  # bytes
logger = logging.getLogger(__name__)


class SourceError(Exception):
    """A source cannot give a data set. The message says why, without a remedy."""


class AbsentError(SourceError):
    """Nothing stands at an address, which is the message."""


@dataclass(frozen=True)
class Source:
    """A place that may hold data sets.

    Attributes:
        prefix: its address, without a slash at the end.
        layouts: where below it a data set may be, tried in this order.
    """

    prefix: str
    layouts: tuple[str, ...]


def configured_names() -> list[str]:
    """Find the data sets that the project's generation configurations read.

    Returns:
        Their names, each once, sorted. Data sets that ship inside sktime are not among them.

    Raises:
        ConfigError: If a configuration cannot be read.
    """
    from utils.config import load

    names = set()
    for file in sorted(CONFIG.rglob("generation_*.yaml")):
        paths = (load(file).get("ts") or {}).get("path") or []
        for path in [paths] if isinstance(paths, str) else paths:
            match = re.fullmatch(rf"data/ts/{COLLECTION}/([^/]+)/\1_({'|'.join(PARTS)})\.ts", str(path))
            if match:
                names.add(match[1])
    return sorted(names)


def check_names(names: Sequence[str]) -> list[str]:
    """Check that names can be those of data sets, and of nothing else in a folder or below an address.

    Args:
        names: what the user asked for.

    Returns:
        The names, each once, in order.

    Raises:
        UsageError: If one has other characters than letters, digits, `_` and `-`.
    """
    for name in names:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
            raise UsageError(f"NAME: found {name!r}, expected a data set's name such as RacketSports")
    return list(dict.fromkeys(names))


def mirror_source(mirror: str) -> Source:
    """Turn what the user gave for `--mirror` into a source.

    Args:
        mirror: a folder, or an http, https or file URL.

    Returns:
        The source. A folder becomes a file URL, so that all sources are read alike.

    Raises:
        UsageError: If it is neither.
    """
    if re.match(r"(https?|file):", mirror, flags=re.IGNORECASE):
        return Source(mirror.rstrip("/"), LAYOUTS)
    if not mirror or not Path(mirror).is_dir():
        raise UsageError(f"--mirror: found {mirror!r}, expected a folder that exists, or an http, https or file URL")
    return Source(Path(mirror).resolve().as_uri().rstrip("/"), LAYOUTS)


def read_blocks(url: str) -> Iterator[bytes]:
    """Read what stands at an address.

    Args:
        url: an http, https or file URL.

    Yields:
        Its content, piece by piece.

    Raises:
        AbsentError: If nothing stands there.
        SourceError: If it cannot be reached, or not read to its end.
    """
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as response:  # noqa: S310 - mirror_source checks the scheme
            received, length = 0, response.headers["Content-Length"]
            while block := response.read(BLOCK):
                received += len(block)
                yield block
            if length is not None and received != int(length):  # read() takes a lost connection for the end
                raise SourceError(f"{url}: found {received} bytes, expected {length}")
    except (OSError, HTTPException, ValueError) as error:
        if _is_absence(error):
            raise AbsentError(url) from error
        raise SourceError(f"{url}: cannot be read ({_phrase(error)})") from error


def _is_absence(error: Exception) -> bool:
    if isinstance(error, HTTPError):
        error.close()
        return error.code in (404, 410)
    return isinstance(getattr(error, "reason", None), FileNotFoundError | NotADirectoryError)


def _phrase(error: Exception) -> str:
    if isinstance(error, HTTPError):
        return f"HTTP status {error.code}, {error.reason}"
    reason = getattr(error, "reason", error)
    return getattr(reason, "strerror", None) or str(reason) or type(error).__name__


def read_member(archive: IO[bytes], url: str, spellings: Sequence[str]) -> Iterator[bytes]:
    """Read one file of a zip archive.

    Args:
        archive: the archive.
        url: its address, for the message.
        spellings: what the file may be called in it.

    Yields:
        The file's content, piece by piece.

    Raises:
        AbsentError: If the archive does not have it.
        SourceError: If the archive is damaged.
    """
    try:
        with zipfile.ZipFile(archive) as members:
            member = next((spelling for spelling in spellings if spelling in members.namelist()), None)
            if member is None:
                raise AbsentError(f"{url} with {spellings[0]} in it")
            with members.open(member) as stream:
                while block := stream.read(BLOCK):
                    yield block
    except SourceError:
        raise
    except Exception as error:  # zipfile raises whatever its first wrong assumption leads to
        raise SourceError(f"{url}: not a readable zip archive ({error})") from error


def save(blocks: Iterable[bytes], path: Path) -> None:
    """Write a file.

    Args:
        blocks: its content, piece by piece.
        path: the file to make or replace.

    Raises:
        SourceError: If the content cannot be read.
        OSError: If the file cannot be written.
    """
    with path.open("wb") as stream:
        stream.writelines(blocks)


def save_members(url: str, name: str, files: Sequence[str], folder: Path) -> None:
    """Copy files out of a data set's zip archive, and nothing but these.

    Args:
        url: the archive's address.
        name: the data set.
        files: their names, which are at the top of the archive or in a folder with the data set's name.
        folder: where to write them.

    Raises:
        AbsentError: If there is no archive, or not all files are in it.
        SourceError: If the archive cannot be reached or is damaged.
        OSError: If a file cannot be written.
    """
    with tempfile.TemporaryFile(dir=folder) as archive:
        archive.writelines(read_blocks(url))
        for file in files:
            save(read_member(archive, url, (file, f"{name}/{file}")), folder / file)


def wrong_md5(path: Path) -> str | None:
    """Compare a file with the published one, where its md5 sum is known.

    Args:
        path: the file, under its final name.

    Returns:
        What is wrong with it, or None.

    Raises:
        OSError: If it cannot be read.
    """
    from utils.files import digest

    found, expected = digest(path, "md5"), MD5.get(path.name)
    if expected in (None, found):
        return None
    return f"{path.name} has md5 {found}, expected {expected}, that of the published results"


def fetch_from(source: Source, name: str, files: Sequence[str], folder: Path) -> None:
    """Fetch files of a data set from one source, in the first layout that has them all.

    Args:
        source: the source.
        name: the data set.
        files: which of its files.
        folder: where to write them.

    Raises:
        SourceError: If the source lacks them, cannot be reached, or has other files than the published ones.
        OSError: If a file cannot be written.
    """
    absent = []
    for layout in source.layouts:
        try:
            _fetch_layout(source.prefix, layout, name, files, folder)
            break
        except AbsentError as error:
            absent.append(str(error).removeprefix(f"{source.prefix}/"))
    else:
        raise SourceError(f"{source.prefix}: lacks it, looked for {', '.join(absent)}")
    for file in files:
        problem = wrong_md5(folder / file)
        if problem:
            raise SourceError(f"{source.prefix}: {problem}")


def _fetch_layout(prefix: str, layout: str, name: str, files: Sequence[str], folder: Path) -> None:
    if layout == ARCHIVE:
        save_members(f"{prefix}/{layout.format(name=name)}", name, files, folder)
        return
    for file in files:
        save(read_blocks(f"{prefix}/{layout.format(name=name, file=file)}"), folder / file)


def fetch(sources: Sequence[Source], name: str, files: Sequence[str], folder: Path) -> None:
    """Fetch files of a data set from the first source that gives them.

    Args:
        sources: where to look, in this order.
        name: the data set.
        files: which of its files.
        folder: where to write them.

    Raises:
        RunError: If no source does.
        OSError: If a file cannot be written.
    """
    problems = []
    for source in sources:
        try:
            fetch_from(source, name, files, folder)
            return
        except SourceError as error:
            problems.append(str(error))
    raise RunError(
        f"data set {name}: {'; '.join(problems)}; nothing of it was kept; check the name and the network, or pass "
        "another --mirror=DIR|URL, such as the folder of the archive's unpacked Multivariate2018_ts.zip"
    )


def missing_files(folder: Path, name: str, *, overwrite: bool) -> list[str]:
    """Find out which files of a data set have to be fetched.

    Args:
        folder: the data set's folder, which need not exist.
        name: the data set.
        overwrite: fetch those again that are there.

    Returns:
        Their names.

    Raises:
        DataError: If a file is there, but is not the published one.
    """
    files = [f"{name}_{part}.ts" for part in PARTS]
    present = [file for file in files if (folder / file).is_file() and not overwrite]
    for file in present:
        problem = wrong_md5(folder / file)
        if problem:
            raise DataError(f"{folder}: {problem}; pass --overwrite to fetch it again")
        logger.info("%s: already there, left as it is", folder / file)
    return [file for file in files if file not in present]


def place(sources: Sequence[Source], name: str, files: Sequence[str], folder: Path) -> None:
    """Fetch files of a data set into its folder, all or none.

    Args:
        sources: where to look for them, in this order.
        name: the data set.
        files: which of its files.
        folder: the data set's folder. What else it holds stays.

    Raises:
        RunError: If no source gives them. Nothing has changed then.
        OSError: If they cannot be written. Nothing has changed then.
    """
    from utils.files import new_directory

    absent = [parent for parent in folder.parents if not parent.exists()]
    try:
        with new_directory(folder.resolve()) as temporary:
            _keep_others(folder, files, temporary)
            fetch(sources, name, files, temporary)
    except BaseException:
        for parent in absent:
            with contextlib.suppress(OSError):
                parent.rmdir()
        raise
    for file in files:
        logger.info("%s: fetched", folder / file)


def _keep_others(folder: Path, files: Sequence[str], temporary: Path) -> None:
    """Copy what stands in a folder that is about to be replaced, except for the files that are made anew."""
    for entry in folder.iterdir() if folder.exists() else ():
        if entry.is_dir() and not entry.is_symlink():
            shutil.copytree(entry, temporary / entry.name, symlinks=True)
        elif entry.name not in files:
            shutil.copy2(entry, temporary / entry.name, follow_symlinks=False)


def build_parser() -> Parser:
    """Describe the command line."""
    parser = Parser(__doc__)
    parser.add_argument("name", nargs="*", metavar="NAME", help="data sets (default: those of the configurations)")
    parser.add_argument("--o", type=Path, default=Path("data/ts"), metavar="DIR", help="folder (default: %(default)s)")
    parser.add_argument(
        "--mirror",
        metavar="DIR|URL",
        help=f"where the data sets are, as {', '.join(LAYOUTS).format(name='NAME', file='NAME_TRAIN.ts')} "
        "(default: the archive's sites)",
    )
    parser.add_argument("--overwrite", action="store_true", help="fetch files that are there again")
    return parser


def main(arguments: argparse.Namespace) -> None:
    """Fetch."""
    names = check_names(arguments.name or configured_names())
    sites = [Source(site, (ARCHIVE,)) for site in SITES]
    sources = sites if arguments.mirror is None else [mirror_source(arguments.mirror)]
    root = arguments.o / COLLECTION
    missing = {name: missing_files(root / name, name, overwrite=arguments.overwrite) for name in names}
    for name, files in missing.items():
        if files:
            place(sources, name, files, root / name)


if __name__ == "__main__":
    sys.exit(run(build_parser(), main))
