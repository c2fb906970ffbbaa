"""What would not fit is refused, whoever sets the limit."""

from pathlib import Path

import pytest

from utils import memory
from utils.errors import ConfigError

GIB = 2**30
MACHINE = {"proc/meminfo": f"MemTotal: 9 kB\nMemAvailable:    {8 * 2**20} kB\n"}


def group(limit: str, used: int, cached: int = 0) -> dict[str, str]:
    return {"memory.max": limit, "memory.current": str(used), "memory.stat": f"anon 5\ninactive_file {cached}\n"}


def group_1(limit: str, used: int) -> dict[str, str]:
    return {"memory/memory.limit_in_bytes": limit, "memory/memory.usage_in_bytes": str(used)}


@pytest.mark.parametrize(
    ("files", "control", "expected"),
    [
        ({}, {}, None),
        (MACHINE, {}, 8 * GIB),
        (MACHINE, group("max\n", GIB), 8 * GIB),
        (MACHINE, group(f"{4 * GIB}\n", GIB), 3 * GIB),
        (MACHINE, group(f"{4 * GIB}\n", 3 * GIB, cached=2 * GIB), 3 * GIB),
        (MACHINE, group(f"{4 * GIB}\n", 5 * GIB), 0),
        (MACHINE, group(f"{64 * GIB}\n", GIB), 8 * GIB),
        (MACHINE, group_1(f"{2 * GIB}\n", GIB), GIB),
        (MACHINE, group_1(f"{2**63 - 4096}\n", GIB), 8 * GIB),
    ],
)
def test_the_tightest_limit_holds(
    tmp_path: Path, files: dict[str, str], control: dict[str, str], expected: int | None
) -> None:
    for name, text in (files | {f"sys/fs/cgroup/{name}": text for name, text in control.items()}).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert memory.available(tmp_path) == expected


def test_what_does_not_fit_is_named_with_key_estimate_and_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available", lambda: 8 * 10**9)
    memory.check("product.size", "a scene", 8e9, "make it smaller")
    message = "product.size: a scene would take 48 TB of memory, and 8 GB are free; make it smaller"
    with pytest.raises(ConfigError, match=message):
        memory.check("product.size", "a scene", 48e12, "make it smaller")
    monkeypatch.setattr(memory, "available", lambda: None)
    memory.check("product.size", "a scene", 48e12, "make it smaller")


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 bytes"), (999, "999 bytes"), (1000, "1 kB"), (2.5e9, "2.5 GB"), (10**30, "1e+15 PB")]
)
def test_sizes_are_said_in_words(size: float, text: str) -> None:
    assert memory.human(size) == text
