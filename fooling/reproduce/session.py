"""Experiments in turn: each is kept when it is done, and none is stopped by the failure of another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fooling.errors import FoolingError, Interrupted
from fooling.reproduce.catalogue import Experiment
from fooling.reproduce.result import RESULT, Claim, Result
from fooling.reproduce.workspace import MissingInput, Workspace
from fooling.store.steps import read

FIGURES, RESULTS = "figures", "results"


@dataclass(frozen=True)
class Done:
    """An experiment and what it found."""

    experiment: Experiment
    result: Result


def perform(
    workspace: Workspace, experiments: Sequence[Experiment], report: Callable[[Done], None] = lambda _: None
) -> list[Done]:
    """Do each experiment that is not done yet.

    Args:
        report: called with each as it is done.

    Raises:
        Interrupted: the user interrupted a run; what is done is kept.
        InvalidError: what was kept of an experiment is damaged.
    """
    done = []
    for experiment in experiments:
        kept = _kept(workspace.folder, experiment)
        done.append(Done(experiment, kept or _performed(workspace, experiment)))
        report(done[-1])
    return done


def kept(folder: Path, experiments: Sequence[Experiment]) -> list[Done]:
    """Those of the experiments that were done in this folder."""
    return [Done(one, result) for one in experiments if (result := _kept(folder, one))]


def _performed(workspace: Workspace, experiment: Experiment) -> Result:
    workspace.say(f"{experiment.name}: {experiment.title}")
    try:
        result = experiment.perform(workspace)
    except Interrupted:
        raise
    except FoolingError as error:
        failed = "" if isinstance(error, MissingInput) else "it failed: "
        return Result((Claim(experiment.claim, None, f"{failed}{error}"),))
    for figure in result.figures:  # before the result: who sees it finds them
        workspace.store.write(f"{FIGURES}/{experiment.name}-{figure.name}.png", figure.picture)
    path = f"{RESULTS}/{experiment.name}{RESULT.suffix}"
    workspace.store.write(path, lambda file: RESULT.write(file, result))
    return result


def _kept(folder: Path, experiment: Experiment) -> Result | None:
    path = folder / RESULTS / f"{experiment.name}{RESULT.suffix}"
    return read(path, RESULT) if path.exists() else None
