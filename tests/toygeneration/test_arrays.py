"""Arrays on disk: the bytes written, and whatever stands in a file's place is read as the schema says, or named."""

import contextlib
import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from src.toygeneration import arrays
from src.toygeneration.arrays import read_array, write_array
from utils import memory
from utils.errors import DataError

SHAPES = {"frame": (32, 48, 3), "annotation": (32, 48, 2), "cloud": (32, 48), "shadow": (32, 48)}
DTYPES = {"frame": np.float32, "annotation": np.int16, "cloud": np.float32, "shadow": np.float32}


def good(kind: str) -> np.ndarray:
    values = np.random.default_rng(0).random(SHAPES[kind])
    return (values * 9 if kind == "annotation" else values).astype(DTYPES[kind])


@pytest.mark.parametrize("shape", [(3,), (5, 4), (32, 48, 2), (1, 1, 1)])
@pytest.mark.parametrize("kind", SHAPES)
def test_files_are_the_bytes_that_h5py_writes(tmp_path: Path, shape: tuple[int, ...], kind: str) -> None:
    rng = np.random.default_rng(0)
    for number in range(3):
        array = rng.integers(-100, 100, shape).astype(DTYPES[kind])
        write_array(tmp_path / "ours.h5", kind, array)
        with h5py.File(tmp_path / "h5py.h5", "w") as file:
            file.create_dataset("data", data=array)
        assert (tmp_path / "ours.h5").read_bytes() == (tmp_path / "h5py.h5").read_bytes(), number


def test_arrays_in_any_memory_order_are_written_alike(tmp_path: Path) -> None:
    array = np.random.default_rng(0).random((6, 5, 3))
    for variant in (array, np.asfortranarray(array), array[::-1][::-1]):
        write_array(tmp_path / "array.h5", "frame", variant)
        assert np.array_equal(read_array(tmp_path / "array.h5", "frame", 7), array.astype(np.float32))


@pytest.mark.parametrize(
    ("kind", "dtype", "settings"),
    [
        ("frame", np.float64, {}),
        ("frame", np.float16, {}),
        ("frame", ">f4", {"compression": "gzip"}),
        ("annotation", np.int64, {"chunks": (8, 8, 1)}),
        ("cloud", np.float16, {"compression": "lzf", "shuffle": True}),
    ],
)
def test_other_writers_precision_and_storage_are_read(tmp_path: Path, kind: str, dtype: str, settings: dict) -> None:
    array = good(kind).astype(dtype)
    with h5py.File(tmp_path / "theirs.h5", "w") as file:
        file.create_dataset("data", data=array, **settings)
    found = read_array(tmp_path / "theirs.h5", kind, 7, SHAPES[kind])
    assert found.dtype == DTYPES[kind]
    assert np.array_equal(found, array.astype(DTYPES[kind]))


def test_reading_asks_for_no_lock(tmp_path: Path) -> None:
    write_array(tmp_path / "frame.h5", "frame", good("frame"))
    with (tmp_path / "frame.h5").open("r+b") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        assert np.array_equal(read_array(tmp_path / "frame.h5", "frame", 7), good("frame"))


def member(make: Callable[[h5py.File, str], object]) -> Callable[[Path, str], None]:
    """A file whose `data` is made by a function."""

    def corrupt(path: Path, kind: str) -> None:
        path.unlink()
        with h5py.File(path, "w") as file:
            make(file, kind)

    return corrupt


def values(change: Callable[[np.ndarray, str], np.ndarray]) -> Callable[[Path, str], None]:
    """A file with a changed array in it."""
    return member(lambda file, kind: file.create_dataset("data", data=change(good(kind), kind)))


def external(file: h5py.File, kind: str) -> None:
    secret = Path(file.filename).with_suffix(".secret")
    secret.write_bytes(good(kind).tobytes())
    file.create_dataset("data", SHAPES[kind], DTYPES[kind], external=[(str(secret), 0, h5py.h5f.UNLIMITED)])


def virtual(file: h5py.File, kind: str) -> None:
    with h5py.File(file.filename + ".other", "w") as other:
        other["data"] = good(kind)
        source = h5py.VirtualSource(other["data"])
    layout = h5py.VirtualLayout(SHAPES[kind], DTYPES[kind])
    layout[...] = source
    file.create_virtual_dataset("data", layout)


def elsewhere(link: Callable[[str], object]) -> Callable[[Path, str], None]:
    def corrupt(path: Path, kind: str) -> None:
        path.rename(path.with_suffix(".other"))
        with h5py.File(path, "w") as file:
            file["data"] = link(path.with_suffix(".other").name)

    return corrupt


def in_place(put: Callable[[Path], object]) -> Callable[[Path, str], None]:
    def corrupt(path: Path, kind: str) -> None:
        path.unlink()
        put(path)

    return corrupt


def with_one(value: float) -> Callable[[Path, str], None]:
    def change(array: np.ndarray, kind: str) -> np.ndarray:
        array = array.astype(np.float64 if array.dtype.kind == "f" else np.int64)
        array[(5,) * array.ndim if array.ndim == 2 else (5, 5, 1)] = value
        return array

    return values(change)


COMPOUND = np.dtype([("a", "f4"), ("b", "i2")])
DAMAGE = {
    "missing": (in_place(lambda path: None), "no such file"),
    "a folder": (in_place(Path.mkdir), "found a folder"),
    "a pipe": (in_place(os.mkfifo), "found a pipe"),
    "a loop": (in_place(lambda path: path.symlink_to(path)), "symbolic links"),
    "a device": (in_place(lambda path: path.symlink_to("/dev/zero")), "found a device"),
    "empty file": (in_place(Path.touch), "file signature not found"),
    "text file": (in_place(lambda path: path.write_text("x" * 5000)), "file signature not found"),
    "other name": (member(lambda file, kind: file.create_dataset("other", data=good(kind))), "found no dataset"),
    "group": (member(lambda file, kind: file.create_group("data")), "link or group"),
    "named type": (member(lambda file, kind: file.__setitem__("data", np.dtype("f4"))), "link or group"),
    "soft link": (elsewhere(lambda name: h5py.SoftLink("/nowhere")), "link or group"),
    "external link": (elsewhere(lambda name: h5py.ExternalLink(name, "data")), "link or group"),
    "external storage": (member(external), "stored in other files"),
    "virtual": (member(virtual), "stored in other files"),
    "null": (member(lambda file, kind: file.create_dataset("data", data=h5py.Empty("f4"))), "found shape"),
    "scalar": (values(lambda array, kind: array[(0,) * array.ndim]), r"found shape \(\)"),
    "no rows": (values(lambda array, kind: array[:0]), r"found shape \(0, 48"),
    "other rank": (values(lambda array, kind: array[None]), r"found shape \(1, 32, 48"),
    "other size": (values(lambda array, kind: array[:, :-1]), r"found shape \(32, 47"),
    "bytes": (values(lambda array, kind: array.astype("S8")), r"of \|S8, expected"),
    "text": (
        member(lambda file, kind: file.create_dataset("data", SHAPES[kind], h5py.string_dtype())),
        "of object, expected",
    ),
    "compound": (member(lambda file, kind: file.create_dataset("data", SHAPES[kind], COMPOUND)), "expected"),
    "ragged": (member(lambda file, kind: file.create_dataset("data", SHAPES[kind], h5py.vlen_dtype("f4"))), "object"),
    "references": (member(lambda file, kind: file.create_dataset("data", SHAPES[kind], h5py.ref_dtype)), "object"),
    "complex": (values(lambda array, kind: array.astype(complex)), "of complex128, expected"),
    "booleans": (values(lambda array, kind: array > 0), "of bool, expected"),
    "nothing written": (
        member(lambda file, kind: file.create_dataset("data", SHAPES[kind], DTYPES[kind])),
        "but only 0 bytes of data",
    ),
    "NaN": (with_one(np.nan), "found values from"),
    "infinite": (with_one(-np.inf), "found values from"),
    "huge": (with_one(1e300), "found values from"),
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("kind", SHAPES)
def test_whatever_stands_in_a_files_place_is_named(tmp_path: Path, kind: str, damage: str) -> None:
    corrupt, message = DAMAGE[damage]
    if kind == "annotation" and damage in ("NaN", "infinite", "huge"):
        corrupt, message = with_one({"NaN": -3, "infinite": 2**15, "huge": 2**40}[damage]), "expected labels from 0"
    path = tmp_path / "array.h5"
    write_array(path, kind, good(kind))
    corrupt(path, kind)
    with pytest.raises(DataError, match=message) as caught:
        read_array(path, kind, 7, SHAPES[kind])
    assert str(caught.value).startswith(f"{path}: ")
    assert f"{kind} of step 7" in str(caught.value)


@pytest.mark.parametrize("value", [5, -0.1, 1.001])
def test_opacities_lie_between_0_and_1_up_to_rounding(tmp_path: Path, value: float) -> None:
    array = np.clip(good("cloud"), 1e-3, 1)
    write_array(tmp_path / "cloud.h5", "cloud", array * np.float32(1 + 5e-7))
    read_array(tmp_path / "cloud.h5", "cloud", 7)
    array[3, 4] = value
    write_array(tmp_path / "cloud.h5", "cloud", array)
    with pytest.raises(DataError, match=r"expected opacities from 0 to 1"):
        read_array(tmp_path / "cloud.h5", "cloud", 7)


@pytest.mark.parametrize("shape", [(10**5, 10**5, 3), (2**40, 2**20, 1)])
def test_a_small_file_that_declares_a_huge_array_is_not_believed(tmp_path: Path, shape: tuple[int, ...]) -> None:
    with h5py.File(tmp_path / "bomb.h5", "w") as file:
        data = file.create_dataset("data", shape, "f4", chunks=(64, 64, 1), compression="gzip")
        data[:64, :64] = 0
    with pytest.raises(DataError, match="bytes of data"):
        read_array(tmp_path / "bomb.h5", "frame", 7)


def encoded(folder: Path, suffix: str) -> bytes:
    """A good frame as a file's content."""
    path = folder / f"good{suffix}"
    write_array(path, "frame", good("frame"))
    return path.read_bytes()


def test_an_array_larger_than_memory_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_array(tmp_path / "frame.h5", "frame", good("frame"))
    monkeypatch.setattr(arrays, "LARGE", 1000)
    monkeypatch.setattr(memory, "available", lambda: 10_000)
    with pytest.raises(DataError, match="would take 18.4 kB of memory, and 10 kB are free"):
        read_array(tmp_path / "frame.h5", "frame", 7)


@pytest.mark.parametrize("suffix", [".h5", ".jpg"])
def test_damaged_bytes_are_read_as_the_schema_says_or_named(tmp_path: Path, suffix: str) -> None:
    content = encoded(tmp_path, suffix)
    path = tmp_path / f"damaged{suffix}"
    place = st.integers(0, min(len(content), 2048) - 1)

    @settings(max_examples=100)
    @given(st.lists(st.tuples(place, st.binary(min_size=1, max_size=8)), max_size=4), st.integers(0, len(content)))
    def check(changes: list[tuple[int, bytes]], keep: int) -> None:
        damaged = bytearray(content)
        for start, new in changes:
            damaged[start : start + len(new)] = new
        path.write_bytes(damaged if changes else damaged[:keep])
        with contextlib.suppress(DataError):
            array = read_array(path, "frame", 7, SHAPES["frame"])
            assert array.shape == SHAPES["frame"]
            assert array.dtype == np.float32
            assert np.isfinite(array).all()
            assert changes or keep == len(content) or suffix == ".jpg"

    check()


@pytest.mark.parametrize(
    ("save", "message"),
    [
        (lambda path: Image.new("RGB", (48, 32)).save(path, "PNG"), "cannot identify image file"),
        (lambda path: Image.new("L", (48, 32)).save(path, "JPEG"), "found a picture of mode L"),
        (lambda path: Image.new("RGB", (32, 48)).save(path, "JPEG"), r"found shape \(48, 32, 3\)"),
    ],
)
def test_pictures_that_are_no_frames_are_named(tmp_path: Path, save: Callable[[Path], None], message: str) -> None:
    save(tmp_path / "frame.jpg")
    with pytest.raises(DataError, match=rf"frame.jpg: .*{message}"):
        read_array(tmp_path / "frame.jpg", "frame", 7, SHAPES["frame"])


def test_a_picture_of_billions_of_pixels_is_not_decoded(tmp_path: Path) -> None:
    content = bytearray(encoded(tmp_path, ".jpg"))
    start = content.index(b"\xff\xc0") + 5
    content[start : start + 4] = b"\xff\xff\xff\xff"  # height and width
    (tmp_path / "bomb.jpg").write_bytes(content)
    with pytest.raises(DataError, match=r"bomb.jpg: .*decompression bomb"):
        read_array(tmp_path / "bomb.jpg", "frame", 7)
