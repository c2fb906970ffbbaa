"""Processes that build views, on one machine. Imports nothing of the project, so that any machine can receive it."""

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Generator

Results = Generator[tuple[int, str | None], None, None]  # seeds in any order, each with what went wrong or None
ATTEMPTS = 3  # how often a view may be caught in the death of a worker
GRACE = 5  # seconds in which a worker may remove what isn't whole
DIED = "its worker died; it may need more memory: use fewer workers or smaller frames"
PROGRAM = "import sys; sys.path.insert(0, sys.argv[1]); from src.toygeneration.dataset.worker import serve; serve()"


class Closed(Exception):
    """The workers were closed meanwhile: none is left, and none will be started."""


class Worker:
    """A process that builds views, one at a time; see `serve` in worker.py."""

    def __init__(self, checkout: str, place: str, task: dict[str, str]) -> None:
        command = [sys.executable, "-P", "-c", PROGRAM, checkout]
        self._process = subprocess.Popen(command, cwd=place, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603
        self._tell(task)

    def _tell(self, value: object) -> None:
        with contextlib.suppress(OSError):  # it has died: there will be no answer
            self._process.stdin.write(json.dumps(value).encode() + b"\n")
            self._process.stdin.flush()

    def build(self, seed: int) -> str:
        """Have a view built, and wait for the answer in JSON; it is empty if the process dies meanwhile."""
        self._tell(seed)
        return self._process.stdout.readline().decode()

    @property
    def lives(self) -> bool:
        return self._process.poll() is None

    def dismiss(self) -> None:
        """Let it end, whatever it is doing."""
        with contextlib.suppress(OSError):
            self._process.stdin.close()

    def close(self) -> None:
        """Wait until it has ended."""
        self.dismiss()
        try:
            self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


class Workers:
    """As many workers as are busy at once; each is started when there is none to spare. May be used by many threads.

    Workers import from `checkout`, the project's root, work in the folder `place`, and are told the `task` first.
    """

    def __init__(self, checkout: str, place: str, task: dict[str, str]) -> None:
        self._start = checkout, place, task
        self._all: set[Worker] = set()
        self._spare: list[Worker] = []
        self._lock, self._closed = threading.Lock(), False

    def build(self, seed: int) -> str | None:
        """Have a view built, by another worker if one dies; say in one line what went wrong, or None."""
        for _ in range(ATTEMPTS):
            worker = self._take()
            answer = worker.build(seed)
            if answer:
                self._spare.append(worker)
                return json.loads(answer)
            self._drop(worker)
        return DIED

    def _take(self) -> Worker:
        with self._lock:
            if self._closed:
                raise Closed
            while self._spare:
                worker = self._spare.pop()
                if worker.lives:
                    return worker
                self._drop(worker)
            worker = Worker(*self._start)
            self._all.add(worker)
            return worker

    def _drop(self, worker: Worker) -> None:
        worker.close()
        self._all.discard(worker)

    def close(self) -> None:
        """End all of them, whatever they are doing."""
        with self._lock:
            self._closed = True
        leaving = list(self._all)
        for worker in leaving:
            worker.dismiss()
        for worker in leaving:
            worker.close()
