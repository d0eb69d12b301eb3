"""Commands on run directories with seeded damage. Whatever a stranger put there, they end well or with one line that
says what is wrong; a failure costs a user a traceback, their memory, or a file somewhere else."""

from __future__ import annotations

import random
import resource
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import fooling
from fooling.cli.app import cli
from fooling.errors import INVALID, NOT_FOUND, FoolingError
from fooling.runs.executors import is_distributed
from fooling.store.reading import open_run
from tests.fooling.runs import fuzzing
from tests.fooling.runs.foreign import tree, unfinished

COMMANDS = {
    "show": ("show", "RUN", "--json"),
    "lineage": ("lineage", "RUN", "--class", "3"),
    "resume": ("resume", "RUN", "--quiet"),
    "npz": ("export", "RUN", "--format", "npz"),
    "table": ("show", "RUN"),
    "gallery": ("gallery", "RUN"),
    "sheet": ("export", "RUN", "--format", "sheet"),
    "png": ("export", "RUN", "--format", "png"),
    "transfer": ("transfer", "RUN", "--to", "builtin:lenet"),
    "compare": ("compare", "RUN", "WHOLE"),
}
USUAL = ("show", "lineage", "resume", "npz", "table")
MEMORY = 2**30  # bytes that a round may take


def is_small(run: Path) -> bool:
    """Whether going on with it is soon done, and done here: a stranger may ask for any amount of work."""
    try:
        settings = open_run(run).spec.config
    except FoolingError:
        return True  # which `resume` is to find out
    computed, search = settings.run, settings.search
    return (
        search.generations <= 40
        and search.population <= 200
        and (computed.chunk or 0) <= 200
        and computed.batch <= 200
        and computed.threads <= 4
        and (computed.evaluators or 1) <= 4
        and not computed.compile
        and not is_distributed(settings.run)
        and not settings.classifier.views
    )


def judge(run: Path, name: str, whole: Path) -> str:
    """What is wrong with how a command ended; "" where nothing is."""
    places = {"RUN": str(run), "WHOLE": str(whole)}
    words = [places.get(word, word) for word in COMMANDS[name]]
    signal.alarm(60)
    try:
        result = CliRunner().invoke(cli, words, standalone_mode=False)
    finally:
        signal.alarm(0)
    error = result.exception
    if error is None:
        return "" if result.return_value == 0 else f"ended with {result.return_value}"
    if not isinstance(error, FoolingError):
        return f"is a defect: {error!r:.300}"
    known = error.exit_code in (INVALID, NOT_FOUND) or "no checkpoint is whole" in str(error)
    if not known:
        return f"exit {error.exit_code}: {error}"
    return "" if len(str(error)) < 2000 else f"a long line: {len(str(error))}"


def rounds(seed: str, count: int, part: str, small_run: Path, folder: Path, **search: Any) -> list[str]:
    """So many damaged directories, a command on each; what was wrong. `search`: see `unfinished`."""
    whole, change = folder / "whole", getattr(fuzzing, part)
    shutil.copytree(small_run, whole)
    original = unfinished(small_run, folder, **search)
    (folder / "outside").mkdir()
    before, wrong = tree(folder / "outside"), []
    for number in range(count):
        rng = random.Random(f"{seed} {part} {number}")
        run = folder / "run"
        shutil.copytree(original, run)
        change(run, rng)
        other = list(COMMANDS)[number % len(COMMANDS)] if number % 3 == 0 else USUAL[number % len(USUAL)]
        name = other if other != "resume" or is_small(run) else "show"
        if found := judge(run, name, whole):
            wrong.append(f"{part} {number}: {name} {found}")
        shutil.rmtree(run)
        for output in ("transfer", "comparison"):
            shutil.rmtree(folder / output, ignore_errors=True)
    assert tree(folder / "outside") == before
    assert {path.name for path in folder.iterdir()} == {"whole", "outside", "foreign"}
    return wrong


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """A folder to work in; who takes too long is interrupted."""
    monkeypatch.chdir(tmp_path)

    def too_long(number, frame):
        raise TimeoutError("longer than a minute")

    handler = signal.signal(signal.SIGALRM, too_long)
    yield tmp_path
    signal.signal(signal.SIGALRM, handler)


@pytest.mark.parametrize("part", [part.__name__ for part in fuzzing.PARTS])
def test_a_few_damaged_directories(part, small_run, workplace):
    assert rounds("few", 4, part, small_run[0], workplace) == []


# The other kinds of runs: what makes one, and what `resume` goes on to.
KINDS = {
    "direct": (["encoding.name=direct", "search.generations=3", "search.population=20"], {"generations": 5}),
    "ascent": (
        ["search.name=gradient-ascent", "search.rule=adam", "search.steps=4", "search.steps_per_task=2"],
        {"steps": 8},
    ),
    "single": (
        [
            "search.name=single-class",
            "search.classes=[1,2]",
            "search.evaluations=12",
            "search.population=6",
            "encoding.name=direct",
        ],
        {"classes": [1, 2, 3]},
    ),
}


@pytest.fixture(scope="module", params=KINDS)
def other_run(request, tmp_path_factory):
    """A small run of another kind, and what it is to go on to."""
    assignments, longer = KINDS[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    (folder / "plain.toml").write_text("")
    fooling.run(folder / "plain.toml", out=folder / "run", assignments=assignments)
    return folder / "run", longer


@pytest.mark.slow
@pytest.mark.parametrize("part", ["header", "cells", "search"])
def test_other_kinds_of_runs(part, other_run, workplace):
    run, longer = other_run
    assert rounds("other", 30, part, run, workplace, **longer) == []


@pytest.mark.slow
@pytest.mark.parametrize("part", [part.__name__ for part in fuzzing.PARTS])
def test_a_hundred_damaged_directories(part, small_run, workplace):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert rounds("many", 100, part, small_run[0], workplace) == []
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < MEMORY
