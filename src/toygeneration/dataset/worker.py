"""A process that builds views: it reads a seed a line, and answers each with a line."""

import functools
import json
import os
import queue
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

from src.toygeneration.dataset.recipe import Recipe
from utils import config as configuration
from utils.cli import describe

PATIENCE = 60  # seconds without work, after which a worker leaves: whoever started it on a cluster may be gone


@functools.lru_cache(maxsize=2)  # a process reads a recipe and its time series once
def _restored(recipe: str) -> Recipe:
    return configuration.validate(Recipe, json.loads(recipe), "recipe")


def attempt(recipe: str, folder: str, seed: int) -> str | None:
    """Build a view from what any process can receive, the recipe as JSON; say in one line what went wrong, or None."""
    try:
        _restored(recipe).build(Path(folder), seed)
    except Exception as error:
        return describe(error)[0]
    return None


def serve() -> None:
    """Read the arguments of `attempt` but the seed; then answer what went wrong with each view, or null.

    When whoever opened the input closes it, or dies in whatever way, this process stops at once, and removes what isn't
    whole.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; whoever opened the input will close it
    signal.signal(signal.SIGTERM, _leave)
    answers, sys.stdout = sys.stdout, sys.stderr
    lines: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=[lines], daemon=True).start()
    task = lines.get()
    while True:
        try:
            seed = lines.get(timeout=PATIENCE)
        except queue.Empty:
            return
        print(json.dumps(attempt(**task, seed=seed)), file=answers, flush=True)


def _listen(lines: queue.SimpleQueue[Any]) -> None:
    with open(0, "rb", buffering=0, closefd=False) as stream:
        for line in stream:
            lines.put(json.loads(line))
    os.kill(os.getpid(), signal.SIGTERM)


def _leave(number: int, frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)  # nothing interrupts the clearing up
    sys.exit(128 + number)
