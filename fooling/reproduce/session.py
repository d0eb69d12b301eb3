"""Experiments in turn: each kept when it is done, none stopped by another's failure."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fooling.errors import FoolingError
from fooling.files import json_bytes, replacing
from fooling.reproduce.catalogue import Experiment
from fooling.reproduce.result import Result
from fooling.reproduce.workspace import MissingInput, Workspace

FIGURES, RESULTS = "figures", "results"


@dataclass(frozen=True)
class Done:
    """An experiment and what it found.

    Attributes:
        failed: whether it was begun and could not be finished.
    """

    experiment: Experiment
    result: Result
    failed: bool = False


def perform(
    workspace: Workspace,
    experiments: Sequence[Experiment],
    report: Callable[[Done], None] = lambda _: None,
) -> list[Done]:
    """Do each experiment that is not done yet.

    Args:
        report: told of each as it is done.

    Raises:
        Stopped: the user interrupted a run; what is done is kept.
    """
    done = []
    for experiment in experiments:
        one = _kept(workspace.folder, experiment) or _performed(workspace, experiment)
        report(one)
        done.append(one)
    return done


def kept(folder: Path, experiments: Sequence[Experiment]) -> list[Done]:
    """Those of the experiments that were done in this folder."""
    found = [_kept(folder, experiment) for experiment in experiments]
    return [one for one in found if one is not None]


def _performed(workspace: Workspace, experiment: Experiment) -> Done:
    workspace.say(f"{experiment.name}: {experiment.title}")
    try:
        done = Done(experiment, experiment.perform(workspace))
    except MissingInput as error:
        return Done(experiment, Result("open", str(error)))
    except FoolingError as error:
        return Done(experiment, Result("open", f"it failed: {error}"), failed=True)
    _keep(workspace.folder, done)
    return done


def _keep(folder: Path, done: Done) -> None:
    """The figures first: who sees the result finds them."""
    name = done.experiment.name
    for figure in done.result.figures:
        path = folder / FIGURES / f"{name}-{figure.name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            file.write(figure.picture)
    path = folder / RESULTS / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        file.write(json_bytes({"result": done.result.to_dict()}))


def _kept(folder: Path, experiment: Experiment) -> Done | None:
    path = folder / RESULTS / f"{experiment.name}.json"
    if not path.exists():
        return None
    try:
        data = json.loads(path.read_bytes())
        return Done(experiment, Result.from_dict(data["result"]))
    except (ValueError, KeyError, TypeError):
        raise FoolingError(
            f"{path}: expected an experiment's result, found a damaged file; remove it"
        ) from None
