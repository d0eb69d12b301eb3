"""Single-class evolution as a run: its budget, its claims, repeats and resumes. A failure costs the comparison that
it is the baseline of."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fooling
from fooling import classifiers
from fooling.archive import lineage
from fooling.errors import InvalidError
from fooling.present.facts import facts
from fooling.store.directory import RunDirectory
from fooling.store.reading import open_run
from fooling.store.snapshot import renderer
from fooling.store.summary import summary
from tests import warm
from tests.kills import kill_process

CONFIGS = ["mnist-direct-single", "mnist-cppn-single"]
# Three classes of 5 generations of 8 images.
CLASSES = (7, 1, 4)
SMALL = ["search.classes=[7, 1, 4]", "search.evaluations=40", "search.population=8"]
STEPS = 15


def evolve(out: Path, config: str = CONFIGS[1], *more: str, **arguments: Any) -> fooling.Snapshot:
    return fooling.run(config, out=out, assignments=[*SMALL, *more], **arguments)


def generations(run: Path) -> list[dict[str, Any]]:
    log = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    return [event for event in log if event["event"] == "generation"]


@pytest.fixture(scope="module", params=CONFIGS)
def small(request: Any, tmp_path_factory: Any) -> fooling.Snapshot:
    return evolve(tmp_path_factory.mktemp("single") / "run", request.param)


def test_each_class_in_turn_spends_its_share(small: fooling.Snapshot) -> None:
    """A failure costs the word "equal" in the comparison."""
    log = generations(small.directory)
    assert [event["generation"] for event in log] == list(range(STEPS))
    assert [event["class"] for event in log] == [number for number in CLASSES for _ in range(5)]
    assert [event["class_generation"] for event in log] == 3 * list(range(5))
    assert np.diff([0, *(event["evaluations"] for event in log)]).tolist() == STEPS * [8]
    assert {event["judged_again"] for event in log[::5]} == {0}
    again = sum(event["judged_again"] for event in log)
    assert again == 0 if small.spec.config.encoding.name == "direct" else 12 <= again < 60  # NEAT's elites
    assert small.evaluations == 120
    assert small.status == "completed"


def test_statistics_are_of_the_chosen_classes(small: fooling.Snapshot) -> None:
    """A failure costs their median: the seven classes that nobody asked for would count as 0."""
    told, chosen = summary(small).confidence, small.confidence[list(CLASSES)]
    assert (told.classes, told.median, told.min) == (3, float(np.median(chosen)), chosen.min())
    assert generations(small.directory)[-1]["median"] == told.median
    assert dict(facts(small))["Classes"] == "3 of 10"
    assert dict(facts(small))["Steps"] == "15, each a generation of one class"


def test_a_confidence_that_the_chosen_classes_have_ends_the_run(tmp_path: Path) -> None:
    """A failure costs all further steps: the other classes never reach it."""
    run = evolve(tmp_path / "run", CONFIGS[1], "stop.confidence=1e-30")
    assert run.counters.generation == 10  # the first of the third class


@pytest.mark.parametrize("encoding", ["direct", "cppn"])
def test_the_ready_made_configs_spend_what_map_elites_does(encoding: str) -> None:
    alone = fooling.config.resolve(f"mnist-{encoding}-single").search.resolved(
        fooling.config.resolve(f"mnist-{encoding}-single").encoding, 10
    )
    together = fooling.config.resolve(f"mnist-{encoding}").search
    assert (alone.generations + 1) * alone.population == (together.generations + 1) * together.population


def test_only_the_target_s_cell_is_claimed(small: fooling.Snapshot) -> None:
    """A failure costs the baseline: it would be a MAP-Elites of another selection."""
    assert small.archive.occupied.tolist() == sorted(CLASSES)
    for event in generations(small.directory):
        assert {number for number, _ in event["gains"]} <= {event["class"]}
        assert event["replacements"] == len(event["gains"])
    assert any(event["gains"] for event in generations(small.directory) if event["class_generation"])


def test_kept_pixels_are_what_was_classified_and_what_the_genotype_draws(small: fooling.Snapshot) -> None:
    """A failure costs contract 1: neat-python's genome would mean another image than the one that is claimed."""
    numerics = small.spec.numerics
    claimed = classifiers.load("builtin:lenet", numerics=numerics).classify(small.stored_pixels)
    for number in CLASSES:
        assert claimed[small.stored_rows[number], number] == small.confidence[number]
    reread = open_run(small.directory)
    assert np.array_equal(reread.stored_pixels, small.stored_pixels)
    if draw := renderer(reread):
        assert np.array_equal(draw(28), small.stored_pixels)
    else:
        bytes_ = np.floor(reread.archive.genotypes.genes * np.float32(255) + np.float32(0.5))
        assert np.array_equal(bytes_[: len(small.stored_pixels)].astype(np.uint8), small.stored_pixels)


def test_every_elite_traces_back_to_the_first_generation_of_its_class(small: fooling.Snapshot) -> None:
    """A failure costs the ancestry of every image: parents are named that nobody knows."""
    table = lineage.read(RunDirectory(small.directory).lineage).tolist()
    records = {tuple(row[:3]): row for row in table}
    assert len(records) == len(table)
    first = {number: 5 * turn for turn, number in enumerate(CLASSES)}
    for number in CLASSES:
        waiting, roots = [tuple(small.ids[number].tolist())], 0
        while waiting:
            row = records[waiting.pop()]
            assert row[0] >= first[number]
            if row[3] < 0:
                assert row[0] == first[number]
                roots += 1
            for parent in (row[3:7], row[7:11]):
                if parent[0] >= 0:
                    assert parent[3] == number
                    assert parent[0] < row[0]
                    waiting.append(tuple(parent[:3]))
        assert roots


def test_the_same_seed_gives_the_same_archive(small: fooling.Snapshot, tmp_path: Path) -> None:
    """Whatever the program draws from `random`, and however the work is cut; and `random` is given back."""
    config = f"mnist-{small.spec.config.encoding.name}-single"
    random.seed(5)
    state = random.getstate()
    again = evolve(
        tmp_path / "a", config, "run.chunk=3", "run.evaluators=2", report=lambda _: random.seed(time.time())
    )
    random.setstate(state)
    other = evolve(tmp_path / "b", config, flags={"seed": 1})
    assert random.getstate() == state
    assert again.archive.digest() == small.archive.digest() != other.archive.digest()
    assert summary(again).lineage_sha256 == summary(small).lineage_sha256


def test_a_class_evolves_alike_whatever_came_before_it(small: fooling.Snapshot, tmp_path: Path) -> None:
    """A failure costs resumes: a class would depend on the ones before it."""
    config = f"mnist-{small.spec.config.encoding.name}-single"
    alone = fooling.run(config, out=tmp_path / "run", assignments=[*SMALL, "search.classes=[4]"])
    assert alone.confidence[4] == small.confidence[4]
    assert np.array_equal(
        alone.stored_pixels[alone.stored_rows[4]], small.stored_pixels[small.stored_rows[4]]
    )


class Killed(BaseException):
    """Stands in for a SIGKILL: nothing handles it."""


def at(step: int, act: Any) -> Any:
    """Calls `act` when that step is reported."""

    def report(view: fooling.Snapshot) -> None:
        if view.counters.generation == step:
            act()

    return report


def kill() -> None:
    raise Killed


@pytest.mark.parametrize("step", [0, 3, 4, 5, 12])
def test_killed_and_resumed_it_comes_to_the_same_end(
    step: int, small: fooling.Snapshot, tmp_path: Path
) -> None:
    """Within the first class, at its last generation, within a later one."""
    config = f"mnist-{small.spec.config.encoding.name}-single"
    with pytest.raises(Killed):
        evolve(tmp_path / "run", config, "run.checkpoint_seconds=0", report=at(step, kill))
    kept = open_run(tmp_path / "run").counters.generation
    assert kept == (step + 1) // 5 * 5 - 1  # at the end of a class, whichever was the last
    resumed = fooling.resume(tmp_path / "run")
    assert resumed.status == "completed"
    assert resumed.archive.digest() == small.archive.digest()
    assert summary(resumed).lineage_sha256 == summary(small).lineage_sha256
    assert [event["generation"] for event in generations(tmp_path / "run")] == list(range(STEPS))


def test_after_a_real_sigkill(tmp_path: Path, environment: dict[str, str], fooling: Any) -> None:
    out, whole = tmp_path / "run", tmp_path / "whole"
    settings = [part for assignment in SMALL for part in ("--set", assignment)]
    settings += ["--set", "run.checkpoint_seconds=0", "--set", "search.evaluations=160", "--quiet"]
    command = ("run", "mnist-direct-single", *settings)
    assert fooling(*command, "--out", whole).returncode == 0
    process = warm.start([*command, "--out", out], environment)
    while process.poll() is None and not (out / "checkpoints" / "00000019.safetensors").exists():
        time.sleep(0.002)
    kill_process(process)
    summaries = [json.loads(fooling("resume", path, "--json", "--quiet").stdout) for path in (out, whole)]
    for key in ("archive_sha256", "lineage_sha256", "generations", "evaluations", "replacements", "elites"):
        assert summaries[0][key] == summaries[1][key], key


@pytest.mark.parametrize("step", [2, 8])
def test_ctrl_c_shows_what_is_kept_and_no_more(step: int, small: fooling.Snapshot, tmp_path: Path) -> None:
    """A failure costs trust: a table of images that are gone when the run is looked at again."""
    config = f"mnist-{small.spec.config.encoding.name}-single"
    before = signal.getsignal(signal.SIGINT)
    out = tmp_path / "run"
    interrupt = at(step, lambda: os.kill(os.getpid(), signal.SIGINT))
    run = evolve(out, config, "run.checkpoint_seconds=0", report=interrupt)
    assert signal.getsignal(signal.SIGINT) == before
    assert run.status == open_run(out).status == "interrupted"
    kept = [] if step < 4 else [CLASSES[0]]
    assert run.archive.occupied.tolist() == open_run(out).archive.occupied.tolist() == sorted(kept)
    assert summary(run) == summary(open_run(out))
    assert sorted(path.name for path in (out / "elites").iterdir()) == [
        f"{number:04d}.png" for number in kept
    ]
    assert fooling.resume(out).archive.digest() == small.archive.digest()


def test_ctrl_c_before_anything_is_kept_says_so(tmp_path: Path, environment: dict[str, str]) -> None:
    command = [
        sys.executable,
        "-m",
        "fooling",
        "run",
        "mnist-direct-single",
        "--out",
        str(tmp_path / "run"),
        "--quiet",
    ]
    process = subprocess.Popen(
        command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    events = tmp_path / "run" / "events.jsonl"
    while process.poll() is None and not (events.exists() and events.stat().st_size):
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=200)
    assert process.returncode == 130
    assert "nothing was kept yet; begin again with: fooling resume" in said


@pytest.mark.parametrize("stop", ["stop.evaluations=60", "stop.confidence=1e-30"])
def test_a_run_that_a_rule_ends_within_a_class_keeps_its_end(stop: str, tmp_path: Path) -> None:
    """A failure costs what the last class had found: its search can't be continued, but it need not be."""
    classes = "search.classes=[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]"
    run = evolve(tmp_path / "run", CONFIGS[1], classes, stop)
    assert run.status == "completed"
    assert (run.counters.generation + 1) % 5
    assert summary(open_run(tmp_path / "run")) == summary(run)
    assert summary(fooling.resume(tmp_path / "run")) == summary(run)


@pytest.mark.parametrize(
    ("assignments", "message"),
    [
        (["search.classes=[3, 10]"], "search.classes: expected indices from 0 to 9, found 10"),
        (["search.classes=[3, 3]"], r"search.classes: expected each class once, found \[3, 3\]"),
        (["search.classes=[]"], "search.classes: "),
        (["search.classes=[-1]"], "search.classes.* expected a number greater than or equal to 0, found -1"),
        (["search.evaluations=2"], "expected evaluations of at least population, found 2 and 3"),
        (["search.generations=10"], "search.generations is not a key"),
        (['encoding.profile="released"'], "encoding.crossover: .* expected none or sbx, found sbx-released"),
    ],
)
def test_settings_that_make_no_sense_are_refused(
    assignments: list[str], message: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidError, match=message) as refusal:
        fooling.run("mnist-direct-single", out=tmp_path / "run", assignments=assignments)
    assert "\n" not in str(refusal.value)
    assert not (tmp_path / "run").exists()
