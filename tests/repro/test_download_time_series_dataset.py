"""The downloader: from a folder, from a site on this machine, and from what goes wrong on the way. No network."""

import contextlib
import functools
import hashlib
import http.server
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from repro.downloads.time_series import download_time_series_dataset as script
from tests.conftest import REAL_DATA, contents
from utils.cli import run

NAMES = ("Alpha", "Beta2")
FILES = [f"{name}/{name}_{part}.ts" for name in NAMES for part in script.PARTS]


def content(file: str) -> bytes:
    return f"@problemName {file}\r\n@data\n1,2:ä\n".encode() * 50


WHOLE = {f"Multivariate_ts/{file}": content(file) for file in FILES}


def fetch(*arguments: object) -> int:
    return run(script.build_parser(), script.main, [str(argument) for argument in arguments])


@pytest.fixture(autouse=True)
def _published(monkeypatch: pytest.MonkeyPatch) -> None:
    """Publish one of the two data sets, and leave the machine's proxies out of it."""
    sums = {Path(file).name: hashlib.md5(content(file), usedforsecurity=False).hexdigest() for file in FILES[:2]}
    monkeypatch.setattr(script, "MD5", sums)
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    folder = tmp_path / "mirror of {braces} & spaces"
    for file, held in WHOLE.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(held)
    return folder


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "new" / "ts"


@pytest.fixture
def error_line(capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """A function that returns what a failed run printed, after checking that it is one line."""

    def read() -> str:
        printed = capsys.readouterr()
        (line,) = [line for line in printed.err.splitlines() if "left as it is" not in line and "fetched" not in line]
        assert ": error: " in line
        assert "unexpected" not in line
        return line

    return read


def archives(folder: Path, member: str = "{file}", held: Callable[[str], bytes] = content) -> Path:
    folder.mkdir()
    for name in NAMES:
        with zipfile.ZipFile(folder / f"{name}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("../outside.ts", "not wanted")
            for file in (file for file in FILES if file.startswith(name)):
                archive.writestr(member.format(name=name, file=Path(file).name), held(file))
    return folder


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


class Lossy(Quiet):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        self.wfile.write(b"x" * 1000)


class Refusing(Quiet):
    def do_GET(self) -> None:
        self.send_error(403)


class Silent(Quiet):
    def do_GET(self) -> None:
        time.sleep(1)


@contextlib.contextmanager
def serving(handler: Callable[..., http.server.BaseHTTPRequestHandler]) -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """A function that puts a server, or nothing, in place of the archive's first site; the second never answers."""
    with contextlib.ExitStack() as servers:

        def put(handler: Callable[..., http.server.BaseHTTPRequestHandler] | Path) -> None:
            if isinstance(handler, Path):
                handler = functools.partial(Quiet, directory=str(handler))
            monkeypatch.setattr(script, "SITES", (servers.enter_context(serving(handler)), "http://127.0.0.1:9"))

        yield put


@pytest.mark.parametrize("inner", ["", "Multivariate_ts"])
def test_a_folder_as_the_archive_lays_it_out(
    mirror: Path, output: Path, inner: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fetch(f"--mirror={mirror / inner}", f"--o={output}", *NAMES, NAMES[0]) == 0
    assert contents(output) == WHOLE
    lines = capsys.readouterr().err.splitlines()
    assert [line.endswith("fetched") for line in lines] == [True, True, False, False]
    assert all("unverified" in line for line in lines[2:])


@pytest.mark.skipif(not REAL_DATA.is_dir(), reason="no real mirror beside the repository")
def test_the_published_time_series(output: Path) -> None:
    command = [sys.executable, script.__file__, f"--o={output}", f"--mirror={REAL_DATA}"]
    subprocess.run(command, check=True, cwd=output.parents[1])
    assert contents(output) == contents(REAL_DATA)


@pytest.mark.parametrize("member", ["{file}", "{name}/{file}"])
def test_archives_of_a_site(tmp_path: Path, output: Path, site: Callable[..., None], member: str) -> None:
    site(archives(tmp_path / "zips", member))
    assert fetch(f"--o={output}", *NAMES) == 0
    assert contents(output) == WHOLE
    assert not list(tmp_path.rglob("outside.ts"))


def test_the_second_site_is_asked_where_the_first_fails(
    tmp_path: Path, output: Path, site: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    site(archives(tmp_path / "zips"))
    monkeypatch.setattr(script, "SITES", script.SITES[::-1])
    assert fetch(f"--o={output}", "Alpha") == 0


def test_what_is_there_is_left_and_the_rest_fetched(mirror: Path, output: Path, error_line: Callable[[], str]) -> None:
    assert fetch(f"--mirror={mirror}", f"--o={output}", *NAMES) == 0
    changed, missing, mine = (output / "Multivariate_ts" / file for file in (FILES[1], FILES[3], "Alpha/mine.txt"))
    mine.write_text("mine")
    missing.unlink()
    before = {path: path.stat() for path in output.rglob("*.ts")}
    assert fetch(f"--mirror={mirror}", f"--o={output}", *NAMES) == 0
    assert {path: path.stat() for path in before} == before
    changed.write_bytes(b"edited")
    assert fetch(f"--mirror={mirror}", f"--o={output}", *NAMES) == 2
    assert "Alpha_TEST.ts has md5" in error_line()
    assert fetch(f"--mirror={mirror}", f"--o={output}", *NAMES, "--overwrite") == 0
    assert contents(output) == WHOLE | {"Multivariate_ts/Alpha/mine.txt": b"mine"}


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "Alpha" / "Alpha_TEST.ts").write_bytes(b"other"), "Alpha_TEST.ts has md5"),
        (lambda folder: (folder / "Alpha" / "Alpha_TEST.ts").unlink(), "lacks Alpha_TEST.ts"),
        (lambda folder: (folder / "Alpha").rename(folder / "Gamma"), "lacks Alpha_TRAIN.ts, and Alpha/Alpha_TRAIN.ts"),
    ],
)
def test_half_a_data_set_or_another_is_none(
    mirror: Path, output: Path, error_line: Callable[[], str], damage: Callable[[Path], object], message: str
) -> None:
    damage(mirror / "Multivariate_ts")
    assert fetch(f"--mirror={mirror}", f"--o={output}", "Alpha") == 1
    assert message in error_line()
    assert not output.parent.exists()


@pytest.mark.parametrize(
    ("handler", "reason"),
    [(Lossy, "Error"), (Refusing, "403"), (Silent, "Timeout"), (Quiet, "404")],
)
def test_sites_that_fail(
    output: Path,
    site: Callable[..., None],
    error_line: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
    handler: type,
    reason: str,
) -> None:
    assert 2 * script.TIMEOUT <= 15
    monkeypatch.setattr(script, "TIMEOUT", 0.2)
    site(handler)
    assert fetch(f"--o={output}", "Alpha") == 1
    line = error_line()
    assert reason in line
    assert "ConnectionError" in line  # the second site
    assert "--mirror" in line
    assert not output.parent.exists()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda held: held[:-30], "not a readable zip archive"),
        (lambda held: b"<html>", "not a readable zip archive"),
        (lambda held: held[:300] + bytes(20) + held[320:], "not a readable zip archive"),
        (lambda held: held.replace(b"Alpha_TEST.ts", b"Alpha_test.ts"), "Alpha.zip: lacks Alpha_TEST.ts"),
        (lambda held: held.replace(b"Alpha_TRAIN.ts", b"../../AlphaTr."), "Alpha.zip: lacks Alpha_TRAIN.ts"),
    ],
)
def test_damaged_archives(
    tmp_path: Path,
    output: Path,
    site: Callable[..., None],
    error_line: Callable[[], str],
    damage: Callable[[bytes], bytes],
    message: str,
) -> None:
    folder = archives(tmp_path / "zips", held=lambda file: hashlib.sha256(file.encode()).digest() * 20)
    (folder / "Alpha.zip").write_bytes(damage((folder / "Alpha.zip").read_bytes()))
    site(folder)
    assert fetch(f"--o={output}", "Alpha") == 1
    assert message in error_line()
    assert not output.parent.exists()


def test_an_archive_inflates_to_a_bounded_size(
    tmp_path: Path,
    output: Path,
    site: Callable[..., None],
    error_line: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(script, "LARGEST", 10_000)
    site(archives(tmp_path / "zips", held=lambda _: bytes(10_001)))
    assert fetch(f"--o={output}", "Beta2") == 1
    assert "Beta2_TRAIN.ts inflates to more than 10,000 bytes" in error_line()


@pytest.mark.parametrize("name", ["a/b", "..", "", ".hidden", "a b", "é", "Alpha\n", "{file}", "a%2fb", "a?b"])
def test_bad_names(mirror: Path, output: Path, error_line: Callable[[], str], name: str) -> None:
    assert fetch(f"--mirror={mirror}", f"--o={output}", "Alpha", name) == 2
    assert "NAME" in error_line()
    assert not output.parent.exists()


@pytest.mark.parametrize("given", ["no/such/folder", "http://127.0.0.1/ts", __file__])
def test_bad_mirrors(output: Path, error_line: Callable[[], str], given: str) -> None:
    assert fetch(f"--mirror={given}", f"--o={output}", "Alpha") == 2
    assert "--mirror" in error_line()


def test_help_needs_no_heavy_module() -> None:
    code = "import runpy, sys\ntry:\n runpy.run_path(sys.argv[1], run_name='__main__')\nexcept SystemExit as leave:\n"
    code += " assert not leave.code\nprint({'numpy', 'pydantic', 'yaml', 'pooch', 'requests'} & set(sys.modules))"
    command = [sys.executable, "-c", code, script.__file__, "--help"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert printed.splitlines()[-1] == "set()"
