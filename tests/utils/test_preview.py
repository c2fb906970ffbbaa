"""Contact sheets and animations: what is in them, read back from the files."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from src.toygeneration.derivation import DerivedProduct
from src.toygeneration.export import export
from tests.conftest import CLOUDS, MOVING_CLOUDS, contents, derivation, scene
from utils import preview
from utils.brightness import white_of
from utils.cli import run
from utils.colours import colour_labels, to_picture


@pytest.fixture
def products(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """A product, and one with clouds and every second step, to be drawn small."""
    monkeypatch.setattr(preview, "CELL_PIXELS", 64)
    latent = scene()
    export({tmp_path / "latent": latent})
    export({tmp_path / "clouded": DerivedProduct(derivation(corruption=CLOUDS, temporal_res=2), latent, 5)})
    return [tmp_path / "latent", tmp_path / "clouded"]


def draw(*arguments: str | Path) -> int:
    return run(preview.build_parser(), preview.main, [str(argument) for argument in arguments])


def test_sheet_has_a_row_for_frames_and_one_for_opacity(products: list[Path], tmp_path: Path) -> None:
    assert draw(*products, f"--o={tmp_path / 'both.png'}", "--steps=4") == 0
    assert draw(products[0], f"--o={tmp_path / 'one.png'}", "--steps=2") == 0
    with Image.open(tmp_path / "both.png") as both, Image.open(tmp_path / "one.png") as one:
        assert both.width / one.width == pytest.approx(6 / 4, rel=0.01)
        assert both.height / one.height == pytest.approx(3, rel=0.05)
        colours = np.asarray(both.convert("RGB")).reshape(-1, 3)
        assert len(np.unique(colours, axis=0)) > 500
    assert sorted(path.name for path in tmp_path.iterdir()) == ["both.png", "clouded", "latent", "one.png"]


def test_shadows_have_a_row_and_a_place_of_their_own(products: list[Path], tmp_path: Path) -> None:
    export({tmp_path / "moving": DerivedProduct(derivation(corruption=MOVING_CLOUDS), scene(), 5)})
    assert draw(products[0], f"--o={tmp_path / 'one.png'}", "--steps=2") == 0
    assert draw(tmp_path / "moving", f"--o={tmp_path / 'three.png'}", "--steps=2", "--gif") == 0
    with Image.open(tmp_path / "three.png") as three, Image.open(tmp_path / "one.png") as one:
        assert three.height / one.height == pytest.approx(3, rel=0.05)
    with Image.open(tmp_path / "three.gif") as animation:
        assert animation.size == (144, 32)


@pytest.mark.parametrize("number", [1, 2, 3, 7, 10**12])
def test_steps_shown_are_spread_over_all(number: int) -> None:
    steps = [0, 2, 3, 5, 7, 8, 11]
    shown = preview.equally_spaced(steps, number)
    assert len(shown) == len(set(shown)) == min(number, 7)
    assert shown == sorted(shown)
    assert shown[0] == 0
    assert number == 1 or shown[-1] == 11


def test_animation_has_every_step_and_products_side_by_side(products: list[Path], tmp_path: Path) -> None:
    assert draw(*products, f"--o={tmp_path / 'x.png'}", "--steps=1", "--gif") == 0
    with Image.open(tmp_path / "x.gif") as animation:
        assert animation.n_frames == 4
        assert animation.size == (144, 32)  # frames of both, and opacities of one
    assert draw(*products, f"--o={tmp_path / 'x.png'}", "--steps=1", f"--gif={tmp_path / 'y.gif'}") == 0
    assert (tmp_path / "x.gif").read_bytes() == (tmp_path / "y.gif").read_bytes()


@pytest.mark.parametrize(("bands", "shown"), [(1, [0, 0, 0]), (2, [0, 0, 0]), (3, [0, 1, 2]), (6, [0, 2, 5])])
def test_pictures_show_reflectance_0_to_1(bands: int, shown: list[int]) -> None:
    frame = np.random.default_rng(0).uniform(-0.5, 1.5, (5, 7, bands)).astype(np.float32)
    picture = to_picture(frame)
    assert picture.shape == (5, 7, 3)
    assert np.abs(picture / 255 - np.clip(frame[..., shown], 0, 1)).max() <= 0.5 / 255 + 1e-6


@pytest.mark.parametrize(("factor", "white"), [(1, 1), (0.5, 0.5), (0.3, 0.5), (0.2, 0.25), (0.01, 0.125)])
def test_dark_products_are_shown_brighter_whatever_clouds_hide(factor: float, white: float) -> None:
    frames = np.random.default_rng(0).uniform(0, factor, (2, 32, 32, 3)).astype(np.float32)
    assert white_of(frames) == white
    opacity = np.linspace(0, 1, 32, dtype=np.float32) * np.ones((32, 1), np.float32)
    covered = frames[0] * (1 - opacity[..., None]) + opacity[..., None]
    assert preview.uncovered(covered, opacity) == pytest.approx(frames[0][opacity < 0.5], abs=1e-6)
    assert white_of(preview.uncovered(covered, opacity)) == white


def test_brightness_needs_values() -> None:
    assert white_of(np.full((2, 2), np.nan)) == white_of(np.zeros((0, 3))) == 1


@pytest.mark.parametrize("number", [1, 4, 10, 16, 300])
def test_labels_get_colours_of_their_own_and_the_background_is_black(number: int) -> None:
    labels = np.arange(number + 1, dtype=np.int16)[None]
    colours = colour_labels(labels, number)[0]
    assert (colours[0] == 0).all()
    assert len(np.unique(colours, axis=0)) >= min(number, 100) + 1


def test_mistakes(products: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents(tmp_path)
    for arguments, message in (
        ([tmp_path / "none", products[0], tmp_path / "no"], "2 problems: (1)"),
        ([products[0], "--steps=0"], "--steps: found 0, expected 1 or more"),
        ([products[0]] * 70, "--steps: found 6 x 70 pictures, expected at most 400"),
    ):
        assert draw(*arguments, f"--o={tmp_path / 'x.png'}") == 2
        shown = capsys.readouterr().err
        assert message in shown
        assert shown.count("\n") == 1
    assert draw(products[0], f"--o={tmp_path / 'x.nonsense'}") == 2
    assert "expected .png" in capsys.readouterr().err
    assert contents(tmp_path) == before
