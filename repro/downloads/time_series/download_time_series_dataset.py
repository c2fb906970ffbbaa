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
SITES = ("https://timeseriesclassification.com/aeon-toolkit", "https://github.com/sktime/sktime-datasets/raw/main/TSC")
TIMEOUT = 7  # seconds without an answer; two silent sites together take some 15
LARGEST = 1 << 30  # bytes of a file, as much as is read
logger = logging.getLogger(__name__)


class SourceError(Exception):
    """Why a source cannot give a data set."""


def files_of(name: str) -> list[str]:
    return [f"{name}_{part}.ts" for part in PARTS]


def download(url: str, folder: Path) -> str:
    """Fetch a data set's zip archive, and say where it is."""
    import pooch
    from requests.exceptions import HTTPError, RequestException

    pooch.get_logger().setLevel(logging.WARNING)
    fetch = pooch.HTTPDownloader(timeout=TIMEOUT)
    try:
        return pooch.retrieve(url, known_hash=None, fname=url.rpartition("/")[2], path=folder, downloader=fetch)
    except RequestException as error:
        reason = str(error) if isinstance(error, HTTPError) else type(error).__name__
        raise SourceError(f"cannot be read ({reason})") from error


def take(source: Path | zipfile.Path, name: str, folder: Path) -> None:
    """Copy a data set's files, of bounded size, from a folder or an archive, or from one inside of it."""
    for file in files_of(name):
        places = (source / inner / file for inner in (f"{COLLECTION}/{name}", name, ""))
        found = next((place for place in places if place.is_file()), None)
        if found is None:
            raise SourceError(f"lacks {file}, and {name}/{file}")
        with found.open("rb") as stream, (folder / file).open("wb") as copy:
            while (chunk := stream.read(1 << 20)) and copy.tell() + len(chunk) <= LARGEST:
                copy.write(chunk)
        if chunk:
            raise SourceError(f"{file} inflates to more than {LARGEST:,} bytes")


def difference(path: Path) -> str | None:
    """Compare a file with the published one; None where it is the same, or none is known."""
    from utils.files import digest_file

    expected = MD5.get(path.name)
    found = expected and digest_file(path, "md5")
    return None if found == expected else f"{path.name} has md5 {found}, expected {expected} as published"


def fetch(name: str, mirror: Path | None, folder: Path) -> None:
    """Fetch a data set from the first source that gives it as it was published."""
    problems = []
    for source in [mirror] if mirror else [f"{site}/{name}.zip" for site in SITES]:
        try:
            if mirror:
                take(mirror, name, folder)
            else:
                with zipfile.ZipFile(download(source, folder)) as archive:
                    take(zipfile.Path(archive), name, folder)
            differences = [found for file in files_of(name) if (found := difference(folder / file))]
            if not differences:
                return
            problems.append(f"{source}: {'; '.join(differences)}")
        except SourceError as error:
            problems.append(f"{source}: {error}")
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
            problems.append(f"{source}: not a readable zip archive ({error})")
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
