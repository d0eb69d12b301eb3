"""An experiment's folder.

plan.json      what is done, with everything that its results follow from; another plan is refused
retrain.json   the rounds that are done: `fooling.studies.retrain.document`
retrain.png    the same as a figure
round-NN/      network.safetensors (and .json): the round's network
               runs/NNNN.npz: what is kept of each run against it: `fooling.studies.retrain.harvest`
               run/: the first of these runs, whole
lock           held by the process that writes
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fooling.errors import FoolingError, InvalidError
from fooling.files import json_bytes, refuse_foreign, replacing
from fooling.store.directory import RunDirectory, locked

PLAN, DATA, FIGURE = "plan.json", "retrain.json", "retrain.png"
KIND = "fooling retrain plan"
_ABSENT = "nothing"
# Of a plan, what changes nothing in the first network and in each run against it.
_LATER = ("plan.rounds", "plan.first", "plan.more", "plan.runs")


@dataclass(frozen=True)
class RoundFolder:
    """The places of a round."""

    path: Path

    @property
    def whole_run(self) -> Path:
        return self.path / "run"

    def harvest(self, run: int) -> Path:
        return self.path / "runs" / f"{run:04d}.npz"

    @contextmanager
    def running(self, run: int) -> Iterator[Path]:
        """Where a run may work: that of run 0 stays, the others' is gone afterwards."""
        path = self.whole_run if run == 0 else self.path / "running"
        shutil.rmtree(path, ignore_errors=True)  # of a run that was interrupted: it begins anew
        yield path
        if run:
            shutil.rmtree(path, ignore_errors=True)


@dataclass(frozen=True)
class Folder:
    """The places of an experiment."""

    path: Path

    def round(self, number: int) -> RoundFolder:
        return RoundFolder(self.path / f"round-{number:02d}")

    def begin_like(self, other: Path) -> None:
        """Take over round 0 of an experiment that begins alike, unless there is one already.

        Raises:
            InvalidError: it does not begin alike, or is no experiment.
            FoolingError: it can't be read or copied.
        """
        if self.round(0).path.exists():
            return
        ours, theirs = (_beginning(path / PLAN) for path in (self.path, other))
        for key in sorted(ours.keys() | theirs.keys()):
            if ours.get(key) != theirs.get(key):
                raise InvalidError(
                    f"{other} does not begin alike: its {key} is {theirs.get(key)}, expected {ours.get(key)}"
                )
        temporary = self.path / ".round-00.tmp"
        try:
            shutil.rmtree(temporary, ignore_errors=True)
            shutil.copytree(Folder(other).round(0).path, temporary, ignore=shutil.ignore_patterns("running"))
            temporary.rename(self.round(0).path)
        except OSError as error:
            raise FoolingError(f"can't copy the beginning of {other}: {error}") from None

    def write(self, contents: Mapping[str, bytes]) -> None:
        """Write files by name.

        Raises:
            FoolingError: they can't be written.
        """
        try:
            for name, content in contents.items():
                with replacing(self.path / name) as file:
                    file.write(content)
        except OSError as error:
            raise FoolingError(f"can't write {self.path}: {error.strerror or error}") from None


@contextmanager
def opened(path: Path, plan: dict[str, Any]) -> Iterator[Folder]:
    """The folder of an experiment, new or begun with the same plan, for one writer at a time.

    Args:
        plan: what is done, JSON-like; more rounds (`plan.plan.rounds`) may be asked for than before.

    Raises:
        InvalidError: it was begun with another plan.
        FoolingError: it is something else, can't be written, or is being written.
    """
    refuse_foreign(path, PLAN, KIND)
    folder, record = Folder(path), {"kind": KIND, "format": 1, **plan}
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FoolingError(f"can't make {path}: {error.strerror or error}") from None
    if not (path / PLAN).exists():
        folder.write({PLAN: json_bytes(record)})
    elif folder.round(0).path.exists():  # else nothing was done by the older plan
        _refuse_other(path, json.loads((path / PLAN).read_bytes()), record)
    with locked(RunDirectory(path)):
        folder.write({PLAN: json_bytes(record)})
        yield folder


def _refuse_other(path: Path, before: dict[str, Any], now: dict[str, Any]) -> None:
    old, new = _flat(before), _flat(json.loads(json_bytes(now)))
    if new.get("plan.rounds", 0) > old.get("plan.rounds", 0):
        del old["plan.rounds"], new["plan.rounds"]
    for key in sorted(old.keys() | new.keys()):
        was, found = old.get(key, _ABSENT), new.get(key, _ABSENT)
        if was != found:
            raise InvalidError(
                f"{path} was begun with another plan: {key} was {str(was)[:60]}, found {str(found)[:60]}; "
                "give the same again, or another --out"
            )


def _beginning(plan: Path) -> dict[str, Any]:
    """What round 0 follows from, by dotted name; but how much of it is harvested."""
    try:
        record = json.loads(plan.read_bytes())
    except (OSError, ValueError):
        raise InvalidError(f"{plan}: expected the plan of an experiment, found none") from None
    flat = _flat(record)
    return {key: value for key, value in flat.items() if key not in _LATER}


def _flat(value: Any, name: str = "") -> dict[str, Any]:
    """A JSON-like value's leaves by dotted name."""
    if not isinstance(value, dict):
        return {name: value}
    return {
        key: leaf
        for part, inner in value.items()
        for key, leaf in _flat(inner, f"{name}.{part}" if name else part).items()
    }
