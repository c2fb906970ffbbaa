"""What every script's command line has in common. Imports nothing heavy: `--help` must answer at once."""

import argparse
import logging
import os
import re
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from utils.errors import ProjectError

INTERRUPTED = 130  # the shell's convention for a process that ended on Ctrl-C


class Parser(argparse.ArgumentParser):
    """An argument parser that reports a bad command line in one line and knows `--debug`."""

    def __init__(self, description: str | None) -> None:
        super().__init__(
            description=description,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        self.add_argument("--debug", action="store_true", help="show the traceback of an error")

    def error(self, message: str) -> NoReturn:
        """Print one line and leave with status 2.

        Args:
            message: what argparse found wrong.
        """
        self.exit(2, f"{self.prog}: error: {message}; see {self.prog} --help\n")


def seed_argument(text: str) -> int:
    """Read a seed from the command line.

    Args:
        text: what the user typed.

    Returns:
        A whole number, 0 or larger.

    Raises:
        argparse.ArgumentTypeError: If it is none.
    """
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a whole number, 0 or larger")
    return int(text)


def number_of_jobs(text: str) -> int:
    """Read the number of workers.

    Args:
        text: a whole number.

    Returns:
        1 or more, or -1 for one a core.

    Raises:
        argparse.ArgumentTypeError: If it is neither.
    """
    if not re.fullmatch(r"-1|0*[1-9][0-9]*", text, flags=re.ASCII):
        raise argparse.ArgumentTypeError(f"found {text!r}, expected 1 or more, or -1 for one worker a core")
    return int(text)


def share_cores() -> None:
    """Let threads of OpenMP sleep while they wait for each other, unless the user has chosen otherwise.

    By default they keep their cores busy. Where other programs use some of the cores, the thread that is waited for
    then has to wait for the waiting ones: training and classifying take ten times as long. Libraries read this once,
    when they are imported.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")


def run(parser: Parser, main: Callable[[argparse.Namespace], None], argv: Sequence[str] | None = None) -> int:
    """Parse the command line, run `main`, and turn what goes wrong into one line and an exit status.

    Args:
        parser: the script's parser.
        main: the script's work; heavy imports belong inside it.
        argv: arguments instead of `sys.argv[1:]`.

    Returns:
        0 when done, 2 for a bad command line or configuration or input, 130 on Ctrl-C, 1 for anything else.
    """
    arguments = parser.parse_args(argv)
    share_cores()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr, force=True)
    try:
        main(arguments)
    except (Exception, KeyboardInterrupt) as error:
        if arguments.debug:
            raise
        message, status = describe(error)
        print(f"{parser.prog}: error: {message}", file=sys.stderr)
        return status
    return 0


def describe(error: BaseException) -> tuple[str, int]:
    """Put an exception into one line.

    Args:
        error: any exception.

    Returns:
        The line, and the exit status that goes with it.
    """
    if isinstance(error, ProjectError):
        message, status = str(error), error.exit_status
    elif isinstance(error, KeyboardInterrupt):
        message, status = "interrupted; run the same command again to start over", INTERRUPTED
    elif isinstance(error, MemoryError):
        message, status = f"out of memory ({error}); use smaller frames or fewer jobs", 1
    elif isinstance(error, OSError) and error.strerror:
        where = f" ({error.filename})" if error.filename else ""
        message, status = f"{error.strerror}{where}; check space and permissions, then run again", 1
    else:
        message, status = f"unexpected {type(error).__name__}: {error}; --debug shows where", 1
    return " ".join(message.split()), status
