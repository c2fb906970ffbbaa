"""How much memory there is, and refusing at once what would not fit."""

import re
from pathlib import Path

from utils.errors import ConfigError

# Limit, use and statistics of a control group (a container, a batch job): version 2, then 1.
_GROUPS = (
    ("memory.max", "memory.current", "memory.stat", "inactive_file"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat", "total_inactive_file"),
)
# PyTorch's words, on GPU and CPU; those of the system, also for threads and libraries that find no room.
_NONE_LEFT = re.compile(
    "OutOfMemoryError|can(no|')t allocate memory|not enough memory|can't start new thread|failed to map segment", re.I
)


def ran_out(error: BaseException) -> bool:
    """Whether an error means that there is no memory left, whoever raised it."""
    return isinstance(error, MemoryError) or bool(_NONE_LEFT.search(f"{type(error).__name__}: {error}"))


def available(root: Path = Path("/")) -> int | None:
    """Bytes that a program may still take, as the machine and its control group say; None where neither does."""
    machine = _number(root / "proc/meminfo", r"MemAvailable:\s+(\d+) kB")
    left = [] if machine is None else [machine * 1024]
    for limit, use, statistics, cache in _GROUPS:
        folder = root / "sys/fs/cgroup"
        most, taken = _number(folder / limit, r"(\d+)"), _number(folder / use, r"(\d+)")
        if most is not None and taken is not None:
            # Files are kept in memory only while there is room.
            given_back = _number(folder / statistics, rf"(?m)^{cache} (\d+)") or 0
            left.append(max(most - taken + given_back, 0))
    return min(left, default=None)


def _number(file: Path, pattern: str) -> int | None:
    try:
        found = re.search(pattern, file.read_text())
    except OSError:
        return None
    return int(found[1]) if found else None


def problem(what: str, size: float, remedy: str) -> str | None:
    """Say that `what` needs more memory, `size` bytes, than there is; None where it fits."""
    left = available()
    if left is None or size <= left:
        return None
    return f"{what} would take {human(size)} of memory, and {human(left)} are free; {remedy}"


def check(key: str, what: str, size: float, remedy: str) -> None:
    found = problem(what, size, remedy)
    if found:
        raise ConfigError(f"{key}: {found}")


def human(size: float) -> str:
    """A number of bytes, in the largest unit of which there is one."""
    units = ("bytes", "kB", "MB", "GB", "TB", "PB")
    power = min(max(len(str(int(size))) - 1, 0) // 3, len(units) - 1)
    return f"{size / 1000**power:.3g} {units[power]}"
