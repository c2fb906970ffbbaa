"""What every script's command line has in common. Imports nothing heavy: `--help` must answer at once."""

import argparse
import contextlib
import logging
import re
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from progress.bar import Bar

from utils.environment import Stopped, cores, settled
from utils.errors import ProjectError
from utils.memory import ran_out
from utils.number_lists import parse_numbers
from utils.reading import expand

ENDINGS = (Exception, KeyboardInterrupt, Stopped)
WORDS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}


class Parser(argparse.ArgumentParser):
    """An argument parser that reports a bad command line in one line and knows `--debug`."""

    def __init__(self, description: str | None) -> None:
        super().__init__(
            description=description, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
        )
        self.add_argument("--debug", action="store_true", help="show the traceback of an error")

    def add_files(self, cfg: str, out: str, **settings: object) -> argparse.Action:
        """Add `--cfg`, which gives a list of paths, and `--o`, which is returned; both are described."""
        cfg += "; may be repeated: later files, such as a scale, are merged over earlier ones"
        given = {"type": path_argument, "action": "append", "metavar": "FILE", "required": True, "help": cfg}
        self.add_argument("--cfg", **given | settings)
        return self.add_argument("--o", type=Path, required=True, metavar="DIR", help=out)

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message}; see {self.prog} --help\n")


def seed_argument(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a whole number, 0 or larger")
    return int(text)


def numbers_argument(text: str) -> list[int]:
    """Read numbers and ranges, such as `1-10,40`."""
    try:
        return parse_numbers(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def path_argument(text: str) -> Path:
    """Read a path from the command line; of `--o=~/x`, shells leave the `~` as it is."""
    return Path(expand(text))


def number_of_jobs(text: str) -> int:
    if not re.fullmatch(r"-1|0*[1-9][0-9]*", text, flags=re.ASCII):
        raise argparse.ArgumentTypeError(f"found {text!r}, expected 1 or more, or -1 for one worker a core")
    return cores() if text == "-1" else int(text)


def options(arguments: argparse.Namespace, *names: str) -> dict[str, Any]:
    return {name: getattr(arguments, name) for name in names}


def run(parser: Parser, main: Callable[[argparse.Namespace], None], argv: Sequence[str] | None = None) -> int:
    """Parse the command line, run `main`, and turn what goes wrong into one line and an exit status.

    Heavy imports belong inside of `main`. The status is 0 when done, 2 for a bad command line or configuration or
    input, 130 on Ctrl-C, 143 on SIGTERM, 1 for anything else.
    """
    try:
        with settled():
            arguments = parser.parse_args(argv)
            logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr, force=True)
            logging.getLogger("matplotlib").setLevel(logging.WARNING)  # it tells of fonts that it found
            try:
                main(arguments)
            except ENDINGS as error:
                if arguments.debug:
                    traceback.print_exc()
                return _tell(parser, error)
    except ENDINGS as error:  # before or after the work
        return _tell(parser, error)
    return 0


def _tell(parser: Parser, error: BaseException) -> int:
    message, status = describe(error)
    print(f"{parser.prog}: error: {message}", file=sys.stderr)
    return status


def describe(error: BaseException) -> tuple[str, int]:
    """Put an exception into one line, with the exit status that goes with it."""
    if isinstance(error, ProjectError):
        message, status = str(error), error.exit_status
    elif isinstance(error, Stopped | KeyboardInterrupt):
        number = error.signal if isinstance(error, Stopped) else signal.SIGINT
        message, status = f"{WORDS[number]}; run the same command again", 128 + number
    elif ran_out(error):
        found = f" ({error})" if str(error) else ""
        message, status = f"out of memory{found}; use smaller frames, smaller batches or fewer jobs", 1
    elif isinstance(error, OSError) and error.strerror:
        where = f" ({error.filename})" if error.filename else ""
        message, status = f"{error.strerror}{where}; check space and permissions, then run again", 1
    else:
        message, status = f"unexpected {type(error).__name__}: {error}; --debug shows where", 1
    return " ".join(message.split()), status


@contextlib.contextmanager
def progress_bar(title: str, total: int) -> Iterator[Callable[[], None]]:
    """Show how far a loop of `total` steps has come, on stderr; gives what to call after each step."""
    bar = Bar(title, max=total, suffix="%(index)d/%(max)d", file=sys.stderr)
    try:
        yield bar.next
    finally:
        bar.finish()
