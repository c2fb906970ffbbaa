"""Checkpoints that are damaged, odd, another run's or full of code: named before anything is made of them."""

import copy
import io
import os
import pickle
import signal
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import src.rsgan.training as module
from src.rsgan.callbacks.checkpoints import WholeCheckpointIO
from src.rsgan.callbacks.interruption import TrainingInterruptedError
from src.rsgan.checkpoint import IDENTITY, read_checkpoint
from src.rsgan.devices import Devices
from src.rsgan.training import train
from tests.rsgan.conftest import RECURRENT, Payload, Shrunk, same
from utils.errors import DataError, UsageError

Content = dict[str, Any]
VALUES = [None, "x", -5, 10**12, [], {}, float("nan"), torch.zeros(2, 3), torch.full((3, 3, 16, 16), 2.0).double()]
REMOVED = object()


@pytest.fixture(scope="module")
def last(uninterrupted: Callable[..., Path]) -> Path:
    return uninterrupted(RECURRENT) / "checkpoints/last.ckpt"


@pytest.fixture
def go_on(cfg: Shrunk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A function that trains on from a checkpoint, up to the first batch."""

    class BeganError(Exception):
        """Training went on."""

    def begun(interruption: module.Interruption, *args: object) -> None:
        interruption.began = True
        raise BeganError

    def run(path: Path, **changes: Any) -> None:
        file = cfg(RECURRENT, experiment__max_epochs=3, experiment__chkpt=str(path), **changes)
        with pytest.raises(BeganError):
            train(file, tmp_path / "out", devices=Devices(), experiment_name="b", overwrite=True)

    monkeypatch.setattr(module.Interruption, "on_train_batch_end", begun)
    return run


def test_a_whole_checkpoint_is_gone_on_from(go_on: Callable[..., None], last: Path) -> None:
    go_on(last)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path: path.unlink(), "no such file, expected a checkpoint"),
        (lambda path: path.unlink() or path.mkdir(), "found a folder"),
        (lambda path: path.unlink() or os.mkfifo(path), "found a pipe"),
        (lambda path: os.truncate(path, 5000), "truncated or not a checkpoint"),
        (lambda path: path.write_bytes(b""), "truncated or not a checkpoint"),
        (lambda path: path.write_bytes(flipped(path.read_bytes())), "was changed since it was written"),
        (lambda path: path.write_bytes(compressed(path.read_bytes())), "is compressed"),
        (lambda path: zipfile.ZipFile(path, "w").writestr("a", "b"), "not a checkpoint"),
        (lambda path: torch.save([1], path), "not a checkpoint of an experiment of this project (found list)"),
        (lambda path: torch.save({"weights": 1}, path), "not a checkpoint of an experiment of this project"),
        (lambda path: torch.save({IDENTITY: Payload(path.parent / "executed")}, path), "more than tensors"),
        (lambda path: path.write_bytes(pickle.dumps(Payload(path.parent / "executed"))), "not a checkpoint"),
    ],
)
def test_what_is_no_checkpoint_is_named_and_never_run(
    spoil: Callable[[Path], object], message: str, last: Path, tmp_path: Path
) -> None:
    path = tmp_path / "bad.ckpt"
    path.write_bytes(last.read_bytes())
    spoil(path)
    with pytest.raises(DataError, match="bad.ckpt: ") as error:
        read_checkpoint(path)
    assert message in str(error.value)
    assert not (tmp_path / "executed").exists()


def flipped(content: bytes) -> bytes:
    """One bit of one weight is another."""
    place = len(content) // 2
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def compressed(content: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in source.namelist():
            packed.writestr(name, source.read(name))
    return target.getvalue()


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("epoch",), "x", "epoch: found 'x', expected a number"),
        (("epoch",), 7, "epoch: found 7, but 2 begun and 2 over"),
        (("state_dict",), {}, "state_dict.generator.encoder.0.0.weight: found nothing, expected a tensor"),
        (("state_dict", "generator.encoder.0.0.weight"), torch.zeros(2, 3), "found a tensor (2, 3) of torch.float32"),
        (("state_dict", "generator.encoder.0.0.bias"), torch.full((4,), torch.nan), "values that are not finite"),
        (("optimizer_states",), REMOVED, "cannot be gone on from"),
        (
            ("optimizer_states", 0, "state", 0, "exp_avg"),
            torch.zeros(1),
            "optimizer_states.0.exp_avg: found shape (1,)",
        ),
        (("loops", "fit_loop"), REMOVED, "does not say how far training had come ('fit_loop')"),
        (("callbacks", "Checkpoints", "scores"), {"x": 1}, "cannot be gone on from"),
        (("previous",), REMOVED, "cannot be gone on from ('previous')"),
        (("previous",), torch.zeros(2, 3), "cannot be gone on from (previous: found shape (2, 3)"),
        ((IDENTITY,), 3, "identity: found no record"),
    ],
)
def test_entries_that_are_missing_or_odd_are_named(
    place: tuple[Any, ...], value: object, message: str, last: Path, tmp_path: Path, go_on: Callable[..., None]
) -> None:
    torch.save(changed(torch.load(last), place, value), tmp_path / "bad.ckpt")
    with pytest.raises(DataError, match="bad.ckpt: ") as error:
        go_on(tmp_path / "bad.ckpt")
    assert message in str(error.value)


@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_changed_checkpoints_never_end_in_anything_else(
    data: st.DataObject, last: Path, tmp_path: Path, go_on: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Either they are refused by name, or training goes on: what was changed was of no account."""
    content = torch.load(last)
    place = data.draw(st.sampled_from(sorted(places(content), key=str)))
    torch.save(changed(content, place, data.draw(st.sampled_from([REMOVED, *VALUES]))), tmp_path / "bad.ckpt")
    try:
        go_on(tmp_path / "bad.ckpt")
    except UsageError as error:
        assert "bad.ckpt: " in str(error)  # noqa: PT017 - either


def places(nest: object, where: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something can be changed: few of the many weights, parameters and settings."""
    many = where and where[0] in ("state_dict", "optimizer_states", IDENTITY)
    items = list(nest.items() if isinstance(nest, dict) else enumerate(nest) if isinstance(nest, list) else ())
    for key, value in items[:2] if many else items:
        yield (*where, key)
        yield from places(value, (*where, key))


def changed(nest: Any, where: tuple[Any, ...], value: object) -> Any:
    first, *others = where
    nest = copy.copy(nest)
    if others:
        nest[first] = changed(nest[first], tuple(others), value)
    elif value is REMOVED:
        del nest[first]
    else:
        nest[first] = value
    return nest


def test_a_memory_of_other_series_is_named(cfg: Shrunk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is needed in the middle of an epoch only, where training was interrupted."""

    def interrupt(*args: object) -> None:
        signal.raise_signal(signal.SIGINT)

    def go_on(**changes: Any) -> None:
        train(cfg(RECURRENT, **changes), tmp_path / "out", devices=Devices(), experiment_name="a")

    with monkeypatch.context() as patch, pytest.raises(TrainingInterruptedError):
        patch.setattr(module.Interruption, "on_train_batch_start", interrupt)
        go_on()
    last = tmp_path / "out/a/checkpoints/last.ckpt"
    content = torch.load(last)
    torch.save(content | {"previous": content["previous"][:1].repeat(7, 1, 1, 1)}, last)
    with pytest.raises(DataError, match=r"last\.ckpt: cannot be gone on from"):
        go_on()


@pytest.mark.parametrize("bits", [1, 8, 255])
def test_any_changed_byte_of_an_archive_is_named(bits: int, tmp_path: Path) -> None:
    """Checksums, offsets and methods of its directory too; whole, this one is no checkpoint either."""
    path, archive = tmp_path / "a.ckpt", io.BytesIO()
    torch.save({}, archive)
    whole = archive.getvalue()
    for place in range(len(whole) - 500, len(whole), 3):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ bits]) + whole[place + 1 :])
        with pytest.raises(DataError, match=r"a\.ckpt: "):
            read_checkpoint(path)


def test_memory_that_runs_out_is_no_fault_of_the_checkpoint(
    last: Path, go_on: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_out(*args: object) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(module.Interruption, "on_train_batch_start", run_out)
    with pytest.raises(RuntimeError, match=r"^DefaultCPUAllocator"):
        go_on(last)


def test_another_runs_checkpoint_is_refused(last: Path, go_on: Callable[..., None]) -> None:
    message = r"belongs to another run \(experiment.l1_regularization_weight: found 100.0, expected 1.0\)"
    with pytest.raises(UsageError, match=message):
        go_on(last, experiment__l1_regularization_weight=1)


def test_a_disk_that_fills_up_leaves_the_old_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "last.ckpt"
    checkpoint = {"epoch": 3, "state_dict": {"weight": torch.ones(3)}, IDENTITY: {"configuration": {}}}
    WholeCheckpointIO().save_checkpoint(checkpoint, path)
    original = Path.open

    def full(self: Path, mode: str) -> Any:
        return original(Path("/dev/full"), mode, buffering=0)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(OSError, match="No space left on device") as error:
        WholeCheckpointIO().save_checkpoint(checkpoint, path)
    assert error.value.filename == str(path)
    monkeypatch.undo()
    assert same(read_checkpoint(path), checkpoint)
    assert [entry.name for entry in tmp_path.iterdir()] == ["last.ckpt"]
