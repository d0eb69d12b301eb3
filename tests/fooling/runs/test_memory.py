"""Out of memory: the physical batch is halved, the log says so, and the run goes on, resumed or not, as one
that is a pure function of what the log says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from fooling import classifiers
from fooling.classifiers import Classifier, Numerics, Spec
from fooling.errors import FoolingError
from fooling.runs import handle

SETTINGS = ("search.generations=8", "search.population=30", "run.chunk=15", "run.checkpoint_seconds=0")
MESSAGE = "CUDA out of memory. Tried to allocate 2.00 GiB."


class Hungry(nn.Module):
    """(n, 1, 8, 8) to (n, 4) logits, for as many rows as memory has room for."""

    room = 12

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(64, 4, bias=False)
        with torch.no_grad():
            self.head.weight.copy_(torch.randn(4, 64, generator=torch.Generator().manual_seed(1)))

    def forward(self, x: Tensor) -> Tensor:
        if len(x) > self.room:
            raise torch.OutOfMemoryError(f"{MESSAGE}\nGPU 0 has a total capacity of ...")
        return self.head(x.flatten(1))


Evolve = Callable[..., Any]


@pytest.fixture
def evolve(tmp_path: Path) -> Evolve:
    """`evolve(name, room, batch=50)`: a run in `tmp_path / name` with room for so many rows."""

    def run(name: str, room: int, batch: int = 50, **arguments: Any) -> Any:
        assignments = (*SETTINGS, f"run.batch={batch}")
        return handle.run(out=tmp_path / name, assignments=assignments, classifier=hungry(room), **arguments)

    return run


def hungry(room: int) -> Classifier:
    # The room is the machine's: as an attribute of the module it would be part of the fingerprint.
    network = type("Hungry", (Hungry,), {"room": room})().eval()
    spec = Spec(name="hungry", size=8, colour="grey", labels=tuple("abcd"))
    return classifiers.from_module(network, spec, Numerics(batch=1))


def events(directory: Path, kind: str) -> list[dict[str, Any]]:
    log = [json.loads(line) for line in (directory / "events.jsonl").read_text().splitlines()]
    return [event for event in log if event["event"] == kind]


def test_the_batch_is_halved_until_it_fits_and_the_log_says_so(evolve: Evolve) -> None:
    """A failure costs a run of days to a network that is a little too large for the device."""
    run = evolve("run", room=12)
    assert run.status == "completed"
    assert run.counters.batch == 12
    expected = [{"batch": n, "generation": 0, "reason": MESSAGE} for n in (25, 12)]
    found = events(run.directory, "numerics")
    assert [{key: event[key] for key in expected[0]} for event in found] == expected
    assert [event["generation"] for event in events(run.directory, "generation")] == list(range(9))


def test_the_result_is_that_of_a_run_with_the_smaller_batch(evolve: Evolve) -> None:
    """A failure costs the meaning of the log: it says with which batch the confidences come out."""
    assert evolve("halved", room=12).archive.digest() == evolve("small", room=12, batch=12).archive.digest()


def test_a_run_with_room_has_no_such_event(evolve: Evolve) -> None:
    """A failure costs trust in the log."""
    run = evolve("run", room=50)
    assert run.counters.batch is None
    assert events(run.directory, "numerics") == []


class Killed(BaseException):
    """Stands in for a SIGKILL: nothing handles it."""


def test_a_resume_computes_with_the_halved_batch(evolve: Evolve, tmp_path: Path) -> None:
    """A failure costs equal bits after a crash; on a device with more memory, too, the halved batch stays."""
    whole = evolve("whole", room=12)

    def kill(view: Any) -> None:
        if view.generation == 4:
            raise Killed

    with pytest.raises(Killed):
        evolve("killed", room=12, report=kill)
    rows: list[int] = []
    classifier = hungry(room=50)
    classifier.network.register_forward_hook(lambda module, given, out: rows.append(len(out)))
    resumed = handle.resume(tmp_path / "killed", classifier=classifier)
    assert max(rows) == 12
    assert resumed.archive.digest() == whole.archive.digest()
    assert [event["batch"] for event in events(resumed.directory, "numerics")] == [25, 12]


def test_memory_that_runs_out_later_costs_one_generation(evolve: Evolve) -> None:
    """A failure costs generations that were computed under the old batch, or one computed under both."""
    classifier = hungry(room=50)

    def shrink(view: Any) -> None:
        if view.generation == 3:
            classifier.network.room = 20

    run = handle.run(
        out=evolve("unused", room=50).directory.with_name("later"),
        assignments=(*SETTINGS, "run.batch=50"),
        classifier=classifier,
        report=shrink,
    )
    found = events(run.directory, "numerics")
    assert [(event["generation"], event["batch"]) for event in found] == [(4, 25), (4, 12)]
    assert [event["generation"] for event in events(run.directory, "generation")] == list(range(9))


def test_where_not_one_image_fits_one_line_says_so(evolve: Evolve, tmp_path: Path) -> None:
    """A failure costs an endless loop, or a traceback."""
    classifier = hungry(room=50)

    def exhaust(view: Any) -> None:
        classifier.network.room = 0

    with pytest.raises(FoolingError, match="hungry: out of memory on cpu even with one image") as failure:
        handle.run(
            out=tmp_path / "run",
            assignments=(*SETTINGS, "run.batch=4"),
            classifier=classifier,
            report=exhaust,
        )
    assert failure.value.exit_code == 1
    assert "\n" not in str(failure.value)
    assert [event["batch"] for event in events(tmp_path / "run", "numerics")] == [2, 1]
    assert events(tmp_path / "run", "failed")


def test_out_of_memory_before_the_run_is_one_line_too(evolve: Evolve) -> None:
    """A failure costs a message that calls a full device a defect."""
    with pytest.raises(FoolingError, match="hungry: out of memory on cpu in the check before the run"):
        evolve("run", room=0)


def test_a_classify_of_the_user_s_is_not_replaced(evolve: Evolve) -> None:
    """A failure costs the operator that the user swapped in: the run would go on without it."""

    def customise(toolbox: Any) -> None:
        original = toolbox.classify
        toolbox.register("classify", lambda pixels: original(pixels))

    with pytest.raises(FoolingError, match="as operator classify"):
        evolve("run", room=12, customise=customise)
