"""The project's own exceptions: each carries one line for the user and an exit status for the shell."""

import reprlib

LONGEST = 3000  # letters of a message
_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxstring, _SHORT.maxother = 2, 70, 70


def shown(value: object) -> str:
    """Show in a message what a user wrote, however long or deep it is."""
    text = _SHORT.repr(value)
    return text if len(text) < 80 else f"a {type(value).__name__}"


def _one_line(message: str) -> str:
    """Put what may quote anything that users wrote into one line that a terminal can show."""
    line = " ".join(message.split())
    if not line.isprintable():
        line = "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in line)
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 300]} … {line[-300:]}"


class ProjectError(Exception):
    """Something went wrong that the user can understand: found, expected, where, remedy, in one line."""

    exit_status = 1

    def __init__(self, message: str) -> None:
        super().__init__(_one_line(message))


class UsageError(ProjectError):
    """The command line or a configuration is wrong."""

    exit_status = 2


class ConfigError(UsageError):
    """A configuration file is malformed, or asks for something impossible."""


class DataError(UsageError):
    """An input file or product is missing, truncated or not what it claims to be."""


class RunError(ProjectError):
    """The run itself failed although its input was right: a full disk, a lost worker, no network."""
