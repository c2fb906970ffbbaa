"""Paths in configurations."""

from typing import Annotated

from pydantic import AfterValidator

from utils.reading import expand

PathText = Annotated[str, AfterValidator(expand)]
