"""Pictures small enough to embed."""

import base64
import io
from pathlib import Path

from src.report.estimates import RATIO, without_generation
from src.report.tasks import Shown, Task
from utils.comparison import best
from utils.errors import DataError
from utils.reading import regular_file
from utils.scores import BASELINE, BOUND, CLASS_MAPS, GENERATORS, SAMPLES

WIDTH = 1100  # pixels
QUALITY = 50
FEW_COLOURS = 4096
BASELINES_SHOWN = 2


def embed(file: Path) -> str:
    """Make a picture small, and turn it into an address."""
    return f"data:image/webp;base64,{base64.b64encode(shrink(file)).decode()}"


def shrink(file: Path) -> bytes:
    """Encode a picture in few bytes.

    What has few colours (maps, tables) is kept as it is; photograph-like pictures are made `WIDTH` wide at most, and
    lose quality.
    """
    from PIL import Image

    try:
        with Image.open(regular_file(file, "a picture")) as opened:
            image = opened.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(f"{file}: cannot be read as a picture ({error}); make it again") from error
    few_colours = bool(image.getcolors(FEW_COLOURS))
    if image.width > WIDTH and not few_colours:
        image = image.resize((WIDTH, round(image.height * WIDTH / image.width)), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    image.save(stream, "WEBP", lossless=few_colours, quality=QUALITY)
    return stream.getvalue()


def pictured(task: Task) -> list[tuple[Shown, Path, Path]]:
    """Networks, submissions and the best of the rest, with what pictures there are of their first seeds."""
    top = best(task.of(BASELINE), RATIO)
    baselines = sorted(task.of(BASELINE), key=lambda method: method is not top)[:BASELINES_SHOWN]
    reference = without_generation(task)
    shown = [*task.of(*GENERATORS, BOUND), *baselines, *([reference] if reference else [])]
    methods = ((method, method.results[0].file) for method in shown)
    found = [(method, file.with_name(SAMPLES), file.with_name(CLASS_MAPS)) for method, file in methods]
    return [(method, samples, maps) for method, samples, maps in found if samples.exists() or maps.exists()]
