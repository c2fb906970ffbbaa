"""Products on disk: round trips, other writers' products, broken files, and folders that appear whole."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from src.toygeneration.arrays import write_array
from src.toygeneration.derivation import DerivedProduct
from src.toygeneration.export import ProductDataset, check_output, export, is_product, read_products
from tests.conftest import CLOUDS, contents, derivation, scene
from utils.errors import DataError, UsageError


def test_what_is_written_is_read(product_folder: Path) -> None:
    product, stored = scene(), ProductDataset(product_folder)
    assert len(stored) == 4
    assert stored.features == product.features
    assert stored.seeds == (3,)
    for step, sample in enumerate(stored):
        assert set(sample) == {"frame", "annotation"}
        for kind, array in product.read(step).items():
            assert np.array_equal(sample[kind], array)
            assert sample[kind].dtype == array.dtype
    assert np.array_equal(stored[-1]["frame"], stored[3]["frame"])
    for step in (4, -5):
        with pytest.raises(IndexError, match="product of 4 steps"):
            stored[step]


def test_the_layout_is_the_published_one(product_folder: Path) -> None:
    export({product_folder.parent / "clouded": DerivedProduct(derivation(corruption=CLOUDS), scene(), 5)})
    names = [f"{kind}s/{kind}_{step}.h5" for kind in ("annotation", "cloud", "frame") for step in range(4)]
    assert sorted(contents(product_folder.parent / "clouded")) == sorted([*names, "index.json"])
    index = json.loads((product_folder / "index.json").read_text())
    assert index["features"] == {"width": 48, "height": 32, "nbands": 3, "horizon": 4, "ndigit": 6, "nframes": 4}
    assert index["files"]["2"] == {"frame": "frames/frame_2.h5", "annotation": "annotations/annotation_2.h5"}
    assert index["provenance"]["seed"] == 3
    with h5py.File(product_folder / "frames" / "frame_2.h5") as file:
        assert list(file) == ["data"]
        assert file["data"].shape == (32, 48, 3)
        assert file["data"].dtype == np.float32
    with h5py.File(product_folder / "annotations" / "annotation_2.h5") as file:
        assert file["data"].shape == (32, 48, 2)
        assert file["data"].dtype == np.int16


def test_no_path_or_time_of_this_run_gets_into_the_files(tmp_path: Path) -> None:
    export({tmp_path / "one": scene()})
    export({tmp_path / "another": scene()})
    assert contents(tmp_path / "one") == contents(tmp_path / "another")
    assert str(tmp_path).encode() not in b"".join(contents(tmp_path / "one").values())


def test_jpg_frames_are_clipped_and_annotations_stay_exact(tmp_path: Path) -> None:
    product = scene(astype="jpg")
    export({tmp_path / "jpg": product})
    assert sorted(file.suffix for file in (tmp_path / "jpg").glob("*/*_0.*")) == [".h5", ".jpg"]
    stored = ProductDataset(tmp_path / "jpg")
    with Image.open(tmp_path / "jpg" / "frames" / "frame_0.jpg") as image:
        assert image.size == (48, 32)
        assert image.mode == "RGB"
    for step in range(4):
        frame = stored.frame(step)
        assert frame.dtype == np.float32
        assert 0 <= frame.min() <= frame.max() <= 1
        assert np.abs(frame - np.clip(product.frame(step), 0, 1)).mean() < 0.02
        assert np.array_equal(stored.annotation(step), product.annotation)
    assert stored.astype == "jpg"
    again = DerivedProduct(derivation(), stored, 5)
    assert np.array_equal(again.read(1)["frame"], stored.frame(1))


def published_product(folder: Path, *, double: bool = True) -> Path:
    """A product as the published repository writes them: no provenance, other names, miscounted frames."""
    folder.mkdir()
    rng, files = np.random.default_rng(0), {}
    for kind in ("frames", "annotations"):
        (folder / kind).mkdir()
    for step in range(6):
        files[str(step)] = None
        if step % 2 == 0:
            files[str(step)] = {"frame": f"frames/frame_{step:03d}.h5", "annotation": f"annotations/a_{step}.h5"}
            with h5py.File(folder / f"frames/frame_{step:03d}.h5", "w") as file:
                file["data"] = rng.random((20, 30, 2)).astype(np.float64 if double else np.float32)
            with h5py.File(folder / f"annotations/a_{step}.h5", "w") as file:
                file["data"] = rng.integers(0, 3, (20, 30, 2)).astype(np.int64)
    features = {"width": 20, "height": 30, "nbands": 2, "horizon": 6, "ndigit": 2, "nframes": 12, "extra": 1}
    (folder / "index.json").write_text(json.dumps({"features": features, "files": files, "more": []}))
    return folder


def test_products_of_the_published_repository_are_read_and_derived(tmp_path: Path) -> None:
    stored = ProductDataset(published_product(tmp_path / "theirs"))
    assert stored.steps == [0, 2, 4]
    assert len(stored) == 6
    assert stored[1] is None
    assert stored[2]["frame"].dtype == np.float32
    assert stored[2]["annotation"].dtype == np.int16
    assert (stored.features.height, stored.features.width, stored.features.nbands) == (20, 30, 2)
    config = derivation(corruption=CLOUDS, target_size={"width": 30, "height": 20})
    export({tmp_path / "derived": DerivedProduct(config, stored, 5)})
    derived = ProductDataset(tmp_path / "derived")
    assert derived.steps == [0, 2, 4]
    assert derived.has_clouds


def test_products_without_a_seed_get_clouds_of_their_own_too(tmp_path: Path) -> None:
    config = derivation(corruption=CLOUDS, target_size={"width": 30, "height": 20})
    one = published_product(tmp_path / "one")
    two = published_product(tmp_path / "two", double=False)
    with h5py.File(two / "annotations/a_0.h5", "r+") as file:
        file["data"][0, 0] = 9
    clouds = [DerivedProduct(config, ProductDataset(folder), 5).read(0)["cloud"] for folder in (one, one, two)]
    assert np.array_equal(clouds[0], clouds[1])
    assert not np.array_equal(clouds[0], clouds[2])
    plain = derivation(target_size={"width": 30, "height": 20})
    twice = []
    for folder in (one, two):
        between = DerivedProduct(plain, ProductDataset(folder), 6)
        export({folder / "plain": between})
        stored = ProductDataset(folder / "plain")
        assert stored.seeds == between.seeds
        twice.append(DerivedProduct(config, stored, 5).read(0)["cloud"])
    assert not np.array_equal(*twice)


def test_reading_is_lazy(product_folder: Path) -> None:
    (product_folder / "frames" / "frame_3.h5").unlink()
    stored = ProductDataset(product_folder)
    assert stored[0] is not None
    with pytest.raises(DataError, match="frame_3.h5: no such file"):
        stored[3]


def test_files_of_another_size_than_the_first_are_named(product_folder: Path) -> None:
    for kind, shape in (("frame", (32, 48, 4)), ("annotation", (48, 32, 2))):
        path = product_folder / f"{kind}s" / f"{kind}_2.h5"
        content = path.read_bytes()
        write_array(path, kind, np.zeros(shape))
        with pytest.raises(DataError, match=rf"{kind}_2.h5: .*found shape"):
            ProductDataset(product_folder)[2]
        path.write_bytes(content)


def test_all_products_that_are_missing_are_named_at_once(product_folder: Path, tmp_path: Path) -> None:
    assert len(read_products([product_folder, product_folder])) == 2
    with pytest.raises(DataError, match=r"2 problems: \(1\) .*/a/index.json: no such file.*; \(2\) .*/b/index.json"):
        read_products([tmp_path / "a", product_folder, tmp_path / "b"])


def test_steps_without_a_frame_have_no_arrays(tmp_path: Path) -> None:
    stored = ProductDataset(published_product(tmp_path / "theirs"))
    with pytest.raises(DataError, match=r"step 1 has no frame; steps with frames are \[0, 2, 4\]"):
        stored.frame(1)
    with pytest.raises(DataError, match="step 0 has no cloud"):
        stored.cloud(0)


def test_existing_products_are_kept_unless_overwritten(product_folder: Path) -> None:
    before = contents(product_folder)
    with pytest.raises(UsageError, match="found an existing product; pass --overwrite"):
        export({product_folder: scene(4)})
    assert contents(product_folder) == before
    export({product_folder: scene(4)}, overwrite=True)
    assert contents(product_folder) != before
    assert sorted(path.name for path in product_folder.parent.iterdir()) == ["latent"]


def test_nothing_but_a_product_is_ever_replaced(tmp_path: Path, product_folder: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    check_output(precious, overwrite=False)  # empty
    (precious / "thesis.tex").write_text("x")
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to(product_folder)
    (tmp_path / "half" / "frames").mkdir(parents=True)
    (product_folder / "notes.txt").write_text("x")
    for name, message in (
        ("precious", "thesis.tex"),
        ("file", "found a file or link"),
        ("link", "found a file or link"),
        ("half", "an incomplete product"),
        ("latent", "notes.txt"),
    ):
        with pytest.raises(UsageError, match=message):
            check_output(tmp_path / name, overwrite=True)


def test_a_product_that_fails_in_the_middle_leaves_nothing(
    product_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(product_folder)
    product = scene(4)
    make = product._make

    def fail(step: int) -> object:
        if step == 2:
            raise OSError(28, "No space left on device")
        return make(step)

    monkeypatch.setattr(product, "_make", fail)
    with pytest.raises(OSError, match="No space left"):
        export({product_folder: product, product_folder.parent / "new": product}, overwrite=True)
    assert contents(product_folder) == before
    assert [path.name for path in product_folder.parent.iterdir()] == ["latent"]


def test_a_folder_without_an_index_is_no_product(product_folder: Path) -> None:
    assert is_product(product_folder)
    (product_folder / "index.json").unlink()
    assert not is_product(product_folder)
    with pytest.raises(DataError, match="no such file, expected the index of a product"):
        ProductDataset(product_folder)
