import contextlib
import functools
import hashlib
import http.server
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from repro.downloads.time_series import download_time_series_dataset as script
from utils.cli import run

SCRIPT = Path(script.__file__)
REAL_MIRROR = script.ROOT.parent / "shared" / "data" / "ts"
NAMES = ("Alpha", "Beta2")
FILES = [f"{name}/{name}_{part}.ts" for name in NAMES for part in script.PARTS]


def content(file: str) -> bytes:
    return f"@problemName {file}\r\n@data\n1,2:ä\n".encode() * 50


def md5(file: str) -> str:
    return hashlib.md5(content(file), usedforsecurity=False).hexdigest()


def snapshot(folder: Path) -> dict[str, bytes]:
    """Everything in a folder, hidden and empty things too."""
    return {
        path.relative_to(folder).as_posix(): b"" if path.is_dir() else path.read_bytes()
        for path in sorted(folder.rglob("*"))
    }


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def download(*arguments: object) -> int:
    return run(script.build_parser(), script.main, [str(argument) for argument in arguments])


def error_line(capsys: pytest.CaptureFixture[str]) -> str:
    """What a failed run printed, after checking that it is one line."""
    printed = capsys.readouterr()
    assert printed.out == ""
    lines = [line for line in printed.err.splitlines() if "left as it is" not in line and not line.endswith("fetched")]
    assert len(lines) == 1, printed.err
    assert ": error: " in lines[0]
    return lines[0]


@pytest.fixture(autouse=True)
def sums(monkeypatch: pytest.MonkeyPatch) -> None:
    """Publish one of the two data sets, and leave the machine's proxies out of it."""
    monkeypatch.setattr(script, "MD5", {file.partition("/")[2]: md5(file) for file in FILES[:2]})
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    folder = tmp_path / "mirror of {braces} & spaces"
    for file in FILES:
        path = folder / "Multivariate_ts" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content(file))
    return folder


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "new" / "ts"


def zipped(folder: Path, member: str = "{file}", extra: tuple[str, ...] = ("read_me.txt",)) -> Path:
    folder.mkdir()
    for name in NAMES:
        with zipfile.ZipFile(folder / f"{name}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for other in extra:
                archive.writestr(other, "not wanted")
            for file in FILES:
                if file.startswith(name):
                    archive.writestr(member.format(name=name, file=file.partition("/")[2]), content(file))
    return folder


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


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


def closed_address() -> str:
    with http.server.HTTPServer(("127.0.0.1", 0), Quiet) as server:
        return f"http://127.0.0.1:{server.server_port}"


def assert_complete(output: Path) -> None:
    folders = ["Multivariate_ts", *(f"Multivariate_ts/{name}" for name in NAMES)]
    expected = {f"Multivariate_ts/{file}": content(file) for file in FILES} | dict.fromkeys(folders, b"")
    assert snapshot(output) == expected


# where data sets come from


@pytest.mark.parametrize("layout", ["", "Multivariate_ts", "Multivariate_ts/"])
def test_folder_gives_identical_files(mirror: Path, output: Path, layout: str) -> None:
    assert download("--o", output, f"--mirror={mirror}/{layout}", *NAMES) == 0
    assert_complete(output)


def test_relative_folder(mirror: Path, output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (mirror.parent / "here").mkdir()
    monkeypatch.chdir(mirror.parent / "here")
    assert download("--o=../new/ts", f"--mirror=../{mirror.name}", *NAMES) == 0
    assert_complete(output)


@pytest.mark.parametrize("end", ["", "/", "/Multivariate_ts"])
def test_file_url(mirror: Path, output: Path, end: str) -> None:
    assert download("--o", output, f"--mirror={mirror.as_uri()}{end}", *NAMES) == 0
    assert_complete(output)


@pytest.mark.parametrize("layout", ["", "/", "/Multivariate_ts"])
def test_http_server(mirror: Path, output: Path, layout: str) -> None:
    with serving(functools.partial(Quiet, directory=str(mirror))) as url:
        assert download("--o", output, f"--mirror={url}{layout}", *NAMES) == 0
    assert_complete(output)


@pytest.mark.parametrize("member", ["{file}", "{name}/{file}"])
def test_folder_of_archives(tmp_path: Path, output: Path, member: str) -> None:
    assert download("--o", output, f"--mirror={zipped(tmp_path / 'zips', member)}", *NAMES) == 0
    assert_complete(output)


def test_http_server_of_archives(tmp_path: Path, output: Path) -> None:
    with serving(functools.partial(Quiet, directory=str(zipped(tmp_path / "zips")))) as url:
        assert download("--o", output, f"--mirror={url}", *NAMES) == 0
    assert_complete(output)


def test_sites_are_tried_in_order(tmp_path: Path, output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = zipped(tmp_path / "changed", "{name}_{file}")
    sites = (closed_address(), other.as_uri(), zipped(tmp_path / "zips").as_uri())
    monkeypatch.setattr(script, "SITES", sites)
    assert download("--o", output, *NAMES) == 0
    assert_complete(output)


def test_sites_are_those_of_sktime() -> None:
    from sktime.datasets import _data_io

    assert list(script.SITES) == _data_io.CLASSIF_URLS


def test_configurations_name_the_published_data_sets() -> None:
    assert script.configured_names() == ["Epilepsy", "RacketSports"]


def test_configurations_are_read_with_what_they_inherit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contents = {
        "base/common.yaml": "ts: {path: data/ts/Multivariate_ts/B/B_TEST.ts}",
        "a/generation_heir.yaml": "base: ../base/common.yaml",
        "a/b/generation_list.yaml": "ts: {path: [data/ts/Multivariate_ts/A/A_TRAIN.ts, sktime:BasicMotions]}",
        "generation_none.yaml": "ts:",
        "generation_empty.yaml": "",
        "generation_other.yaml": "ts: {path: [my/C_TRAIN.ts, data/ts/Multivariate_ts/D/E_TRAIN.ts]}",
        "derivation_x.yaml": "ts: {path: data/ts/Multivariate_ts/F/F_TRAIN.ts}",
    }
    for file, text in contents.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)
    monkeypatch.setattr(script, "CONFIG", tmp_path)
    assert script.configured_names() == ["A", "B"]


def test_names_default_to_the_configurations(mirror: Path, output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script, "configured_names", lambda: list(NAMES))
    assert download("--o", output, f"--mirror={mirror}") == 0
    assert_complete(output)


@pytest.mark.skipif(not REAL_MIRROR.is_dir(), reason="no real mirror beside the repository")
def test_real_mirror(output: Path) -> None:
    for given in (REAL_MIRROR, REAL_MIRROR / "Multivariate_ts"):
        command = [sys.executable, SCRIPT, f"--o={output}", f"--mirror={given}", "--overwrite"]
        subprocess.run(command, check=True, cwd=output.parents[1])
    names = {f"Multivariate_ts/{n}/{n}_{part}.ts" for n in ("Epilepsy", "RacketSports") for part in script.PARTS}
    assert files_in(output) == {file: (REAL_MIRROR / file).read_bytes() for file in names}


# what is there already


def test_second_run_does_nothing(mirror: Path, output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert download("--o", output, f"--mirror={mirror}", *NAMES) == 0
    before = {path: path.stat() for path in output.rglob("*")}
    capsys.readouterr()
    assert download("--o", output, f"--mirror={closed_address()}", *NAMES, NAMES[0]) == 0
    assert {path: path.stat() for path in output.rglob("*")} == before
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len(FILES)
    assert all("already there" in line for line in lines)


def test_only_what_is_missing_is_fetched(mirror: Path, output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept, _, _, missing = FILES
    for file in FILES[:3]:
        (output / "Multivariate_ts" / file).parent.mkdir(parents=True, exist_ok=True)
        (output / "Multivariate_ts" / file).write_bytes(content(kept) if file == kept else content(file))
    (output / "Multivariate_ts" / "Beta2" / "notes").mkdir()
    (output / "Multivariate_ts" / "Beta2" / "notes" / "mine.txt").write_text("mine")
    assert download("--o", output, f"--mirror={mirror}", *NAMES) == 0
    found = files_in(output / "Multivariate_ts")
    assert found.pop("Beta2/notes/mine.txt") == b"mine"
    assert found == {file: content(file) for file in FILES}
    fetched = [line for line in capsys.readouterr().err.splitlines() if line.endswith("fetched")]
    assert fetched == [f"{output / 'Multivariate_ts' / missing}: fetched"]


def test_changed_file_needs_overwrite(mirror: Path, output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert download("--o", output, f"--mirror={mirror}", *NAMES) == 0
    changed, mine = output / "Multivariate_ts" / FILES[1], output / "Multivariate_ts" / "Alpha" / "mine.txt"
    changed.write_bytes(b"edited")
    mine.write_text("mine")
    before = snapshot(output)
    capsys.readouterr()
    assert download("--o", output, f"--mirror={mirror}", *NAMES) == 2
    line = error_line(capsys)
    assert "Alpha_TEST.ts" in line
    assert "--overwrite" in line
    assert snapshot(output) == before
    assert download("--o", output, f"--mirror={mirror}", "--overwrite", *NAMES) == 0
    assert mine.read_text() == "mine"
    mine.unlink()
    assert_complete(output)


def test_failed_overwrite_changes_nothing(mirror: Path, output: Path) -> None:
    assert download("--o", output, f"--mirror={mirror}", *NAMES) == 0
    (output / "Multivariate_ts" / FILES[1]).write_bytes(b"edited")
    before = snapshot(output)
    (mirror / "Multivariate_ts" / FILES[1]).write_bytes(b"wrong")
    assert download("--o", output, f"--mirror={mirror}", "--overwrite", "Alpha") == 1
    assert snapshot(output) == before


def test_link_to_a_data_set_stays_one(mirror: Path, output: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (output / "Multivariate_ts").mkdir(parents=True)
    (output / "Multivariate_ts" / "Alpha").symlink_to(elsewhere)
    assert download("--o", output, f"--mirror={mirror}", *NAMES) == 0
    assert (output / "Multivariate_ts" / "Alpha").is_symlink()
    assert set(files_in(elsewhere)) == {"Alpha_TRAIN.ts", "Alpha_TEST.ts"}


def test_links_in_place_of_files_are_replaced(mirror: Path, output: Path, tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside.ts", output / "Multivariate_ts" / "Beta2"
    folder.mkdir(parents=True)
    (folder / "Beta2_TEST.ts").symlink_to(outside)
    assert download("--o", output, f"--mirror={mirror}", *NAMES) == 0
    assert not outside.exists()
    assert not (folder / "Beta2_TEST.ts").is_symlink()
    assert_complete(output)


# what goes wrong


@pytest.mark.parametrize("as_zip", [False, True])
def test_md5_mismatch_leaves_nothing(
    mirror: Path, output: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, as_zip: bool
) -> None:
    monkeypatch.setitem(script.MD5, "Alpha_TEST.ts", "0" * 32)
    source = zipped(mirror.parent / "zips") if as_zip else mirror
    assert download("--o", output, f"--mirror={source}", "Alpha") == 1
    line = error_line(capsys)
    assert all(part in line for part in ("Alpha_TEST.ts", md5(FILES[1]), "0" * 32))
    assert not output.parent.exists()


def test_empty_output_folder_of_the_user_stays(mirror: Path, output: Path) -> None:
    output.mkdir(parents=True)
    assert download("--o", output, f"--mirror={mirror}", "Gamma") == 1
    assert snapshot(output.parent) == {"ts": b""}


def test_data_sets_before_a_failing_one_stay(mirror: Path, output: Path) -> None:
    assert download("--o", output, f"--mirror={mirror}", "Alpha", "Gamma", "Beta2") == 1
    assert set(files_in(output)) == {f"Multivariate_ts/{file}" for file in FILES[:2]}


def test_lacking_mirror_says_what_it_looked_for(mirror: Path, output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert download("--o", output, f"--mirror={mirror}", "Gamma") == 1
    line = error_line(capsys)
    assert mirror.resolve().as_uri() in line
    for file in ("Multivariate_ts/Gamma/Gamma_TRAIN.ts", " Gamma/Gamma_TRAIN.ts", "Gamma.zip"):
        assert file in line
    assert not output.parent.exists()


def test_half_a_data_set_is_none(mirror: Path, output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (mirror / "Multivariate_ts" / FILES[3]).unlink()
    assert download("--o", output, f"--mirror={mirror}", "Beta2") == 1
    assert "Multivariate_ts/Beta2/Beta2_TEST.ts" in error_line(capsys)
    assert not output.parent.exists()


def test_no_network_names_the_mirror_option(
    output: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(script, "SITES", (closed_address(), closed_address()))
    assert download("--o", output) == 1
    line = error_line(capsys)
    assert "--mirror" in line
    assert "Connection refused" in line
    assert not output.parent.exists()


def test_silent_site_is_given_up(
    output: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()

    class Silent(Quiet):
        def do_GET(self) -> None:
            released.wait(30)

    assert 2 * script.TIMEOUT <= 15
    monkeypatch.setattr(script, "TIMEOUT", 0.1)
    with serving(Silent) as url:
        monkeypatch.setattr(script, "SITES", (url, url))
        start = time.monotonic()
        status = download("--o", output, "Alpha")
        elapsed = time.monotonic() - start
        released.set()
    assert status == 1
    assert elapsed < 10
    assert "--mirror" in error_line(capsys)


@pytest.mark.parametrize("ending", ["_TEST.ts", ".zip"])
def test_lost_connection_leaves_nothing(
    mirror: Path, output: Path, capsys: pytest.CaptureFixture[str], ending: str
) -> None:
    class Lossy(Quiet):
        def do_GET(self) -> None:
            if not self.path.endswith(ending):
                super().do_GET()
                return
            self.send_response(200)
            self.send_header("Content-Length", "1000000")
            self.end_headers()
            self.wfile.write(b"x" * 1000)

    source = zipped(mirror.parent / "zips") if ending == ".zip" else mirror
    with serving(functools.partial(Lossy, directory=str(source))) as url:
        assert download("--o", output, f"--mirror={url}", "Beta2") == 1
    line = error_line(capsys)
    assert "1000 bytes, expected 1000000" in line
    assert not output.parent.exists()


@pytest.mark.parametrize("status", [403, 500])
def test_refusing_server(output: Path, capsys: pytest.CaptureFixture[str], status: int) -> None:
    class Refusing(Quiet):
        def do_GET(self) -> None:
            self.send_error(status)

    with serving(Refusing) as url:
        assert download("--o", output, f"--mirror={url}", "Beta2") == 1
    assert str(status) in error_line(capsys)
    assert not output.parent.exists()


@pytest.mark.parametrize("damage", [lambda b: b[:-30], lambda b: b"<html>", lambda b: b.replace(b"A", b"a"), bytes(0)])
def test_damaged_archive_leaves_nothing(
    tmp_path: Path, output: Path, capsys: pytest.CaptureFixture[str], damage: Callable[[bytes], bytes] | bytes
) -> None:
    archive = zipped(tmp_path / "zips") / "Alpha.zip"
    archive.write_bytes(damage if isinstance(damage, bytes) else damage(archive.read_bytes()))
    assert download("--o", output, f"--mirror={archive.parent}", "Alpha") == 1
    assert "Alpha.zip" in error_line(capsys)
    assert not output.parent.exists()


@pytest.mark.parametrize("member", ["../{file}", "/{file}", "{name}/../../{file}", "other/{file}"])
def test_members_elsewhere_are_not_taken(
    tmp_path: Path, output: Path, capsys: pytest.CaptureFixture[str], member: str
) -> None:
    source = zipped(tmp_path / "zips", member)
    before = snapshot(tmp_path)
    assert download("--o", output, f"--mirror={source}", "Alpha") == 1
    assert "Alpha_TRAIN.ts in" in error_line(capsys)
    assert snapshot(tmp_path) == before


def test_other_members_are_not_extracted(tmp_path: Path, output: Path) -> None:
    extra = ("../outside.ts", f"{tmp_path}/absolute.ts", "Alpha.ts", "Alpha_TRAIN.ts.exe")
    source = zipped(tmp_path / "zips", extra=extra)
    assert download("--o", output, f"--mirror={source}", *NAMES) == 0
    assert_complete(output)
    assert {path.name for path in tmp_path.iterdir()} == {"zips", "new"}


@pytest.mark.parametrize("name", ["a/b", "..", ".", "", ".hidden", "a b", "é", "Alpha\n", "{file}", "a%2fb", "a?b"])
def test_bad_name(mirror: Path, output: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert download("--o", output, f"--mirror={mirror}", "Alpha", name) == 2
    assert "NAME" in error_line(capsys)
    assert not output.parent.exists()


@pytest.mark.parametrize("given", ["", "no/such/folder", "ftp://127.0.0.1/ts", "data:text/plain,x", __file__])
def test_bad_mirror(output: Path, capsys: pytest.CaptureFixture[str], given: str) -> None:
    assert download("--o", output, f"--mirror={given}", "Alpha") == 2
    assert "--mirror" in error_line(capsys)
    assert not output.parent.exists()


@pytest.mark.parametrize(
    "given", ["http://", "http://[", "http://127.0.0.1:port", "http://127.0.0.1:9/a b", "file://x/y"]
)
def test_malformed_url(output: Path, capsys: pytest.CaptureFixture[str], given: str) -> None:
    assert download("--o", output, f"--mirror={given}", "Alpha") == 1
    assert "unexpected" not in error_line(capsys)
    assert not output.parent.exists()


def test_full_disk_is_not_blamed_on_the_mirror(
    mirror: Path, output: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(blocks: Iterator[bytes], path: Path) -> None:
        path.write_bytes(next(blocks)[:10])
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(script, "save", full)
    assert download("--o", output, f"--mirror={mirror}", "Alpha") == 1
    assert "No space left on device" in error_line(capsys)
    assert not output.parent.exists()


# the process


def start(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    ours = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job would pass on SIG_IGN
    try:
        return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ | {"no_proxy": "*"})
    finally:
        signal.signal(signal.SIGINT, ours)


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_killed_run_leaves_no_data_set(mirror: Path, output: Path, kind: signal.Signals) -> None:
    reached, released = threading.Event(), threading.Event()

    class Stalling(Quiet):
        def do_GET(self) -> None:
            if not self.path.endswith("_TEST.ts"):
                super().do_GET()
                return
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"x" * 1000)
            self.wfile.flush()
            reached.set()
            released.wait(30)

    with serving(functools.partial(Stalling, directory=str(mirror))) as url:
        process = start(f"--o={output}", f"--mirror={url}", "Beta2")
        try:
            assert reached.wait(30)
            process.send_signal(kind)
            _, printed = process.communicate(timeout=30)
        finally:
            process.kill()
            released.set()
    assert not (output / "Multivariate_ts" / "Beta2").exists()
    if kind == signal.SIGINT:
        assert process.returncode == 130
        assert len(printed.splitlines()) == 1
        assert not output.parent.exists()
    assert download("--o", output, f"--mirror={mirror}", *NAMES) == 0
    assert_complete(output)


def test_error_of_the_process_is_one_line(tmp_path: Path) -> None:
    process = start(f"--o={tmp_path / 'out'}", f"--mirror={closed_address()}", "Beta2")
    _, printed = process.communicate(timeout=60)
    assert process.returncode == 1
    assert len(printed.splitlines()) == 1
    assert "--mirror" in printed
    assert list(tmp_path.iterdir()) == []


def test_help_needs_no_heavy_module() -> None:
    code = "import runpy, sys\ntry:\n runpy.run_path(sys.argv[1], run_name='__main__')\nexcept SystemExit as leave:\n"
    code += " assert not leave.code\nprint(*{'numpy', 'pydantic', 'yaml', 'sktime', 'pandas'} & set(sys.modules))"
    command = [sys.executable, "-c", code, str(SCRIPT), "--help"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert printed.startswith("usage:")
    assert printed.splitlines()[-1] == ""
    assert "--mirror" in printed


def test_debug_shows_the_cause(mirror: Path, output: Path) -> None:
    shutil.rmtree(mirror / "Multivariate_ts")
    with pytest.raises(script.RunError):
        download("--debug", "--o", output, f"--mirror={mirror}", "Alpha")


def test_absence_and_failure_are_told_apart(mirror: Path) -> None:
    with pytest.raises(script.AbsentError):
        list(script.read_blocks((mirror / "none").as_uri()))
    with pytest.raises(script.SourceError, match="cannot be read") as caught:
        list(script.read_blocks(mirror.as_uri()))
    assert not isinstance(caught.value, script.AbsentError)
    assert isinstance(caught.value.__cause__, urllib.error.URLError)
