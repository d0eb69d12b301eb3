"""The folder of an experiment, which is a `fooling.store.steps.StepStore`.

plan.json      what is done, with everything that the results follow from; another plan is refused
retrain.json   the rounds that are done: `fooling.studies.retrain.document`
retrain.png    the same as a figure
round-NN/      network.safetensors (and .json): the network of the round
               runs/NNNN.npz: what is kept of each run against it: `fooling.studies.retrain.sampling`
               run/: the first of these runs, whole
lock           held by the process that writes
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fooling.errors import FoolingError, InvalidError
from fooling.store.steps import difference, inputs_of

PLAN, DATA, FIGURE = "plan.json", "retrain.json", "retrain.png"
KIND = "fooling retrain plan"
# The parts of a plan that change nothing in the first network and in each run against it.
_LATER = ("plan.rounds", "plan.first", "plan.more", "plan.runs")


def round_folder(number: int) -> str:
    """The name of the folder of a round."""
    return f"round-{number:02d}"


@contextmanager
def running(place: Path, run: int) -> Iterator[Path]:
    """Where a run of a round may work: the directory of run 0 stays, that of another is removed afterwards."""
    path = place / ("running" if run else "run")
    shutil.rmtree(path, ignore_errors=True)  # of a run that was interrupted: it begins anew
    yield path
    if run:
        shutil.rmtree(path, ignore_errors=True)


def warm_start(folder: Path, other: Path) -> None:
    """Take round 0 from an experiment that begins alike, unless there is a round 0 already.

    Raises:
        InvalidError: it does not begin alike, or is no experiment.
        FoolingError: it can't be read or copied.
    """
    first = folder / round_folder(0)
    if first.exists():
        return
    if found := difference(inputs_of(folder / PLAN), inputs_of(other / PLAN), besides=_LATER):
        key, ours, theirs = found
        raise InvalidError(f"{other} does not begin alike: its {key} is {theirs}, expected {ours}")
    temporary = folder / ".round-00.tmp"
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.copytree(other / round_folder(0), temporary, ignore=shutil.ignore_patterns("running"))
        temporary.rename(first)
    except OSError as error:
        raise FoolingError(f"can't copy the beginning of {other}: {error}") from None
