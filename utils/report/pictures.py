"""Pictures small enough to embed."""

import io
from pathlib import Path
from typing import TYPE_CHECKING

from utils.errors import DataError
from utils.report.blocks import Picture

if TYPE_CHECKING:
    from PIL.Image import Image

WIDTH = 1100  # pixels
LARGEST = 300_000  # bytes
FEW_COLOURS = 4096
QUALITIES = (80, 70, 60, 50, 40)


def embed(file: Path, *, name: str, alt: str, caption: str) -> Picture:
    """Read a picture and make it small.

    What has few colours (maps, tables) is kept as it is; photograph-like pictures lose quality until they have at
    most `LARGEST` bytes.

    Args:
        file: any picture.
        name: of the small one, without suffix.
        alt: what it shows, for those who don't see it.
        caption: below it.

    Returns:
        The picture, as WebP, at most `WIDTH` wide.

    Raises:
        DataError: If it cannot be read.
    """
    from PIL import Image

    try:
        with Image.open(file) as opened:
            image = opened.convert("RGB")
    except (OSError, ValueError) as error:
        raise DataError(f"{file}: cannot be read as a picture ({error}); make it again") from error
    if image.getcolors(FEW_COLOURS):
        return Picture(f"{name}.webp", _encode(image, lossless=True), alt, caption)
    if image.width > WIDTH:
        image = image.resize((WIDTH, round(image.height * WIDTH / image.width)), Image.Resampling.LANCZOS)
    for quality in QUALITIES:
        data = _encode(image, quality=quality)
        if len(data) <= LARGEST:
            break
    return Picture(f"{name}.webp", data, alt, caption)


def _encode(image: "Image", **options: int) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "WEBP", **options)
    return stream.getvalue()
