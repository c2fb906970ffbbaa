"""What a script's process has from its caller: streams, variables, signals, made harmless, and processors."""

import contextlib
import os
import re
import signal
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, TextIO

SIGNALS = (signal.SIGINT, signal.SIGTERM)
# By which a batch system, or whoever starts several processes, tells each its part: not meant for us.
PARTS = re.compile(
    "SLURM_.*|(LOCAL_|GROUP_|NODE_)?RANK|(LOCAL_)?WORLD_SIZE|MASTER_(ADDR|PORT)|TORCHELASTIC_.*|JSM_.*|LSB_.*"
)
PARENT = "TOY_IMAGERY_PARENT"  # set for the processes that we start ourselves
CACHES = ("MPLCONFIGDIR", "NUMBA_CACHE_DIR")


class Stopped(BaseException):
    """A signal asked the process to end. Libraries that make something of their own of Ctrl-C let it pass."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.signal = signal.Signals(number)


class Patient:
    """A text stream whose reader may go away, or whose disk may fill up: what is left to say is then dropped."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # not every terminal knows every letter

    def write(self, text: str) -> int:
        with self._forgiving():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with self._forgiving():
            self._stream.flush()

    @contextlib.contextmanager
    def _forgiving(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the stream has
        return getattr(self._stream, name)


@contextlib.contextmanager
def settled() -> Iterator[None]:
    """Run a script's work independently of what its caller left open, set or listened to.

    The first SIGINT or SIGTERM raises `Stopped`; a second one ends the process at once.
    """
    _occupy_descriptors()
    _stand_alone()
    os.environ["MPLBACKEND"] = "agg"  # a notebook's needs the notebook
    # Threads that wait for each other sleep: by default they keep their cores busy, and where other programs use some
    # of these, the thread that is waited for has to wait for the waiting ones. Libraries read this when imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    with _streams(), _caches(), _listening():
        yield


def _occupy_descriptors() -> None:
    """Let no file that is opened later become standard input, output or error, where these are closed."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)


def _stand_alone() -> None:
    """Be no part of somebody else's batch job, unless one of our own processes has started this one."""
    if os.environ.get(PARENT) != str(os.getppid()):
        for variable in filter(PARTS.fullmatch, list(os.environ)):
            del os.environ[variable]
    os.environ[PARENT] = str(os.getpid())


@contextlib.contextmanager
def _streams() -> Iterator[None]:
    before = sys.stdout, sys.stderr
    with contextlib.ExitStack() as stack:
        sys.stdout, sys.stderr = (
            Patient(stream or stack.enter_context(Path(os.devnull).open("w", encoding="utf-8"))) for stream in before
        )
        try:
            yield
        finally:
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
            sys.stdout, sys.stderr = before


@contextlib.contextmanager
def _caches() -> Iterator[None]:
    """Where home cannot be written to, libraries keep for this process only what they compile and collect."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path(os.environ.get("HOME", "/")) / ".cache")
    if _writable(home):
        yield
        return
    code = Path(__file__).parent, Path(sysconfig.get_path("purelib"))
    with tempfile.TemporaryDirectory(prefix="caches-", ignore_cleanup_errors=True) as folder:
        # What numba compiles lies beside its code, if that can be.
        elsewhere = CACHES[:1] if all(map(_writable, code)) else CACHES
        os.environ |= {variable: f"{folder}/{variable}" for variable in elsewhere}
        yield


def _writable(folder: Path) -> bool:
    there = next(place for place in (folder, *folder.parents) if os.path.lexists(place))
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


@contextlib.contextmanager
def _listening() -> Iterator[None]:
    asked: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        if asked:
            leave(number)
        asked.append(number)
        raise Stopped(number)

    # A shell's `&` lets a process ignore Ctrl-C, and only the main thread may listen.
    main = threading.current_thread() is threading.main_thread()
    heard = [number for number in SIGNALS if main and signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, stop) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def leave(number: int) -> NoReturn:
    """End the process at once, as the shell's conventions have it. What it leaves is swept up by the next run."""
    os.write(2, b"asked again: left at once\n")
    os._exit(128 + number)


def cores() -> int:
    """Count the processors that this process may use: those of its affinity, not of the machine."""
    return len(os.sched_getaffinity(0))


def deterministic() -> contextlib.AbstractContextManager[object]:
    """Keep matrix products to one thread, in this whole process.

    BLAS sums in another order with another number of threads, so that bytes would depend on the machine's load and
    on the number of workers.
    """
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1, user_api="blas")
