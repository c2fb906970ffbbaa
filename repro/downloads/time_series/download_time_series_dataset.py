"""Fetch the time series of the published results, or others of the UEA multivariate archive that are named.

A data set NAME becomes DIR/Multivariate_ts/NAME/NAME_TRAIN.ts and NAME_TEST.ts. Files that are there already are left
as they are, so that an interrupted run is simply run again.
"""

import argparse
import logging
import re
import shutil
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))  # run as a script, Python looks for modules beside the script

from utils.cli import Parser, path_argument, run  # noqa: E402
from utils.errors import DataError, RunError, UsageError  # noqa: E402

COLLECTION = "Multivariate_ts"
PARTS = ("TRAIN", "TEST")
MD5 = {  # of the files from which the published results were computed
    "Epilepsy_TRAIN.ts": "5a91e56945516fe08b857ad5c94337b2",
    "Epilepsy_TEST.ts": "603bf7354d26d8af695dd191486fc3b0",
    "RacketSports_TRAIN.ts": "4d6b5d3351de0361216da67e77cbeaff",
    "RacketSports_TEST.ts": "965e15556649bbd106a480716b765977",
}
SITES = (
    "https://timeseriesclassification.com/aeon-toolkit",
    "https://github.com/sktime/sktime-datasets/raw/main/TSC",
)
TIMEOUT = 7  # seconds without an answer; two silent sites together take some 15
LARGEST = 1 << 30  # bytes of a file, as much as is read
logger = logging.getLogger(__name__)


class SourceError(Exception):
    """Why a source cannot give a data set."""


def copy_from_folder(mirror: Path, name: str, folder: Path) -> None:
    """Copy a data set from a folder laid out as the archive's Multivariate2018_ts.zip."""
    origin = next((place for place in (mirror / COLLECTION / name, mirror / name) if place.is_dir()), None)
    if origin is None:
        raise SourceError(f"{mirror}: found neither {COLLECTION}/{name} nor {name}")
    for file in files_of(name):
        if not (origin / file).is_file():
            raise SourceError(f"{origin}: lacks {file}")
        shutil.copyfile(origin / file, folder / file)


def download(site: str, name: str, folder: Path) -> None:
    """Fetch a data set's zip archive and take its two files, of bounded size, out of it."""
    import pooch
    from requests.exceptions import HTTPError, RequestException

    pooch.get_logger().setLevel(logging.WARNING)
    url = f"{site}/{name}.zip"
    try:
        fetch = pooch.HTTPDownloader(timeout=TIMEOUT)
        archive = pooch.retrieve(url, known_hash=None, fname=f"{name}.zip", path=folder, downloader=fetch)
    except RequestException as error:
        reason = str(error) if isinstance(error, HTTPError) else type(error).__name__
        raise SourceError(f"{url}: cannot be read ({reason})") from error
    try:
        with zipfile.ZipFile(archive) as members:
            for file in files_of(name):
                _extract(members, (file, f"{name}/{file}"), folder / file)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise SourceError(f"{url}: not a readable zip archive ({error})") from error


def _extract(members: zipfile.ZipFile, spellings: Sequence[str], file: Path) -> None:
    member = next((member for member in members.infolist() if member.filename in spellings), None)
    if member is None:
        raise SourceError(f"{Path(members.filename).name}: lacks {spellings[0]}")
    if member.file_size > LARGEST:  # zipfile reads no more than this
        raise SourceError(f"{Path(members.filename).name}: {spellings[0]} inflates to more than {LARGEST:,} bytes")
    with members.open(member) as stream, file.open("wb") as copy:
        shutil.copyfileobj(stream, copy)


def files_of(name: str) -> list[str]:
    return [f"{name}_{part}.ts" for part in PARTS]


def difference(path: Path) -> str | None:
    """Compare a file with the published one; None where it is the same, or none is known."""
    from utils.files import digest_file

    expected = MD5.get(path.name)
    found = expected and digest_file(path, "md5")
    return None if found == expected else f"{path.name} has md5 {found}, expected {expected} as published"


def fetch(name: str, mirror: Path | None, folder: Path) -> None:
    """Fetch a data set from the first source that gives it as it was published."""
    problems = []
    sources, take = (SITES, download) if mirror is None else ((mirror,), copy_from_folder)
    for source in sources:
        try:
            take(source, name, folder)
        except SourceError as error:
            problems.append(str(error))
            continue
        differences = [found for file in files_of(name) if (found := difference(folder / file))]
        if not differences:
            return
        problems.append(f"{source}: {'; '.join(differences)}")
    raise RunError(
        f"data set {name}: {'; '.join(problems)}; nothing was kept; check the name and the network, or pass another "
        "--mirror=DIR, such as the folder of the archive's unpacked Multivariate2018_ts.zip"
    )


def place(name: str, mirror: Path | None, folder: Path, *, overwrite: bool) -> None:
    """Put the files of a data set that are missing into its folder; what is there must be the published one."""
    from utils.files import new_file

    present = [file for file in files_of(name) if (folder / file).is_file() and not overwrite]
    for file in present:
        if found := difference(folder / file):
            raise DataError(f"{folder}: {found}; pass --overwrite to fetch it again")
        logger.info("%s: already there, left as it is", folder / file)
    missing = [file for file in files_of(name) if file not in present]
    if not missing:
        return
    with tempfile.TemporaryDirectory() as temporary:
        fetch(name, mirror, Path(temporary))
        for file in missing:
            with new_file(folder / file) as partial:
                shutil.copyfile(Path(temporary) / file, partial)
            known = "" if file in MD5 else ", unverified: no checksum of it is known"
            logger.info("%s: fetched%s", folder / file, known)


def build_parser() -> Parser:
    published = sorted({file.partition("_")[0] for file in MD5})
    parser = Parser(__doc__)
    parser.add_argument("name", nargs="*", default=published, metavar="NAME", help="data sets (default: %(default)s)")
    parser.add_argument(
        "--o", type=path_argument, default=Path("data/ts"), metavar="DIR", help="folder (default: %(default)s)"
    )
    parser.add_argument(
        "--mirror",
        type=path_argument,
        metavar="DIR",
        help=f"folder that holds {COLLECTION}/NAME/NAME_TRAIN.ts (default: the archive's sites)",
    )
    parser.add_argument("--overwrite", action="store_true", help="fetch files that are there again")
    return parser


def main(arguments: argparse.Namespace) -> None:
    for name in arguments.name:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
            raise UsageError(f"NAME: found {name!r}, expected a data set's name such as RacketSports")
    if arguments.mirror is not None and not arguments.mirror.is_dir():
        raise UsageError(f"--mirror: found {str(arguments.mirror)!r}, expected a folder that exists")
    for name in dict.fromkeys(arguments.name):
        place(name, arguments.mirror, arguments.o / COLLECTION / name, overwrite=arguments.overwrite)


if __name__ == "__main__":
    sys.exit(run(build_parser(), main))
