"""However an experiment is interrupted, the same command brings it to the same end, and does nothing twice."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from fooling.errors import FoolingError, Interrupted, InvalidError
from fooling.studies.retrain import Plan, retrain, rounds
from tests.fooling.studies.retrain.small import DATA, PLAN, SMALL
from tests.kills import kill_process


class Killed(BaseException):
    """What no code of the experiment catches."""


def results(folder: Path) -> dict[str, bytes]:
    """The files that results are read from; the document last."""
    paths = [*folder.glob("round-*/network.*"), *folder.glob("round-*/runs/*.npz"), folder / "retrain.json"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(paths)}


def stopped_after(count: int, folder: Path) -> None:
    """The experiment, up to a line that it reports."""
    seen = 0

    def report(line: str) -> None:
        nonlocal seen
        seen += 1
        if seen == count:
            raise Killed

    with pytest.raises(Killed):
        retrain(DATA, folder, Plan(**PLAN), report=report)


# Before anything is done; in a training; between two runs; between rounds; in the last round.
@pytest.mark.parametrize("line", [1, 5, 9, 19])
def test_the_same_end_to_the_bit(line, experiment, tmp_path):
    stopped_after(line, tmp_path / "out")
    retrain(DATA, tmp_path / "out", Plan(**PLAN))
    assert results(tmp_path / "out") == results(experiment[0])


def test_what_is_done_is_not_done_again(experiment, tmp_path):
    """A failure costs hours where networks are large."""
    copy = shutil.copytree(experiment[0], tmp_path / "copy")
    shutil.rmtree(copy / "round-02")
    lines: list[str] = []
    retrain(DATA, copy, Plan(**PLAN), report=lines.append)
    assert not [line for line in lines if "epoch" in line and "round 2" not in line]
    assert not [line for line in lines if ": run" in line and "round 2" not in line]
    assert results(copy) == results(experiment[0])


def test_a_run_that_was_cut_off_begins_anew(experiment, tmp_path):
    """Its images come from its first generations too."""
    copy = shutil.copytree(experiment[0], tmp_path / "copy")
    for path in (copy / "round-02" / "runs").iterdir():
        path.unlink()
    (copy / "round-02" / "run" / "manifest.json").unlink()
    (copy / "round-02" / "running").mkdir()
    retrain(DATA, copy, Plan(**PLAN))
    assert results(copy) == results(experiment[0])


def test_more_rounds_may_be_asked_for_later(experiment, tmp_path):
    """The end is the one that they would have had from the start."""
    out = tmp_path / "out"
    retrain(DATA, out, Plan(**{**PLAN, "rounds": 1}))
    retrain(DATA, out, Plan(**PLAN))
    assert results(out) == results(experiment[0])
    with pytest.raises(InvalidError, match=r"plan\.rounds was 2, found 1"):
        retrain(DATA, out, Plan(**{**PLAN, "rounds": 1}))


@pytest.mark.parametrize(
    "change, message",
    [
        ({"seed": 1}, r"plan\.seed was 0, found 1"),
        ({"first": "1x"}, r"plan\.first was 12, found 1x"),
        ({"epochs": 3}, r"networks\.recipe\.epochs was 2, found 3"),
        ({"schedule": "cosine"}, r"networks\.recipe\.schedule was inverse, found cosine"),
        (
            {"assignments": ("search.generations=5", *SMALL[1:])},
            r"settings\.search\.generations was 4, found 5",
        ),
        ({"size": 0.5}, r"data\.sha256 was|data\.training was 240, found 120"),
    ],
)
def test_another_plan_is_refused(change, message, experiment, tmp_path):
    """A failure mixes two experiments in one table."""
    copy = shutil.copytree(experiment[0], tmp_path / "copy")
    with pytest.raises(InvalidError, match=message):
        retrain(DATA, copy, Plan(**{**PLAN, **change}))
    assert results(copy) == results(experiment[0])


def test_a_beginning_that_is_alike_is_taken_over(experiment, tmp_path):
    """An experiment with a larger fooling class costs the smaller one's first round no second time; and ends as it
    would have on its own."""
    smaller = Plan(**{**PLAN, "first": 6, "rounds": 1})
    alone, lines = tmp_path / "alone", list[str]()
    retrain(DATA, alone, smaller)
    retrain(DATA, tmp_path / "taken", smaller, warm_start_from=experiment[0], report=lines.append)
    assert not [line for line in lines if "round 0" in line and ("training" in line or ": run" in line)]
    ours = results(tmp_path / "taken")
    assert {name: ours[name] for name in results(alone)} == results(alone)


def test_a_beginning_that_is_not_alike_is_refused(experiment, tmp_path):
    """Its networks would be others than the plan says."""
    with pytest.raises(InvalidError, match=r"does not begin alike: its plan\.seed is 0, expected 7"):
        retrain(DATA, tmp_path / "out", Plan(**{**PLAN, "seed": 7}), warm_start_from=experiment[0])
    with pytest.raises(InvalidError, match=r"nowhere.*expected a record of what was begun"):
        retrain(DATA, tmp_path / "out", Plan(**PLAN), warm_start_from=tmp_path / "nowhere")


def test_how_it_is_computed_may_change(experiment, tmp_path):
    copy = shutil.copytree(experiment[0], tmp_path / "copy")
    shutil.rmtree(copy / "round-02" / "runs")
    retrain(DATA, copy, Plan(**{**PLAN, "assignments": (*SMALL[:2], "run.evaluators=2")}))
    assert results(copy) == results(experiment[0])


def test_ctrl_c_in_a_training_is_told_as_in_a_run(tmp_path):
    def report(line: str) -> None:
        if "epoch" in line:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(Interrupted, match="the same command goes on"):
        retrain(DATA, tmp_path / "out", Plan(**PLAN), report=report)


def test_a_users_folder_is_left_alone(tmp_path):
    (tmp_path / "letters.txt").write_text("dear")
    with pytest.raises(FoolingError, match="exists and is no"):
        retrain(DATA, tmp_path, Plan(**PLAN))
    assert [path.name for path in tmp_path.iterdir()] == ["letters.txt"]


def test_a_damaged_file_is_named(experiment, tmp_path):
    copy = shutil.copytree(experiment[0], tmp_path / "copy")
    path = copy / "round-01" / "runs" / "0001.npz"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InvalidError, match=r"0001\.npz: expected the result of a step.*remove it"):
        retrain(DATA, copy, Plan(**PLAN))
    path.unlink()
    retrain(DATA, copy, Plan(**PLAN))
    assert results(copy) == results(experiment[0])


def test_a_run_against_another_network_is_refused(experiment, tmp_path):
    """A network that was trained again and came out otherwise must not get the other's confidences."""
    copy = shutil.copytree(experiment[0], tmp_path / "copy")
    path = copy / "round-01" / "runs" / "0001.npz"
    arrays = dict(np.load(path, allow_pickle=False))
    np.savez(path, **{**arrays, "network": np.array("0" * 64)})
    with pytest.raises(InvalidError, match=r"expected a run against the network beside it .*against 0{12}"):
        retrain(DATA, copy, Plan(**PLAN))


def test_ctrl_c_in_a_run_keeps_what_is_done(experiment, tmp_path, monkeypatch):
    """Python knows it as an error with the exit code 130; the second run is cut off, the first is kept."""
    copy = shutil.copytree(experiment[0], tmp_path / "copy")
    (copy / "round-02" / "runs" / "0001.npz").unlink()

    def interrupted(*arguments, evolve, report, **options):
        def stop(view):
            report(view)
            signal.raise_signal(signal.SIGINT)

        return evolve(*arguments, report=stop, **options)

    with monkeypatch.context() as patch:
        patch.setattr("fooling.studies.retrain.rounds.evolve", partial(interrupted, evolve=rounds.evolve))  # type: ignore[attr-defined]
        with pytest.raises(Interrupted, match="the same command goes on") as error:
            retrain(DATA, copy, Plan(**PLAN))
    assert error.value.exit_code == 130
    assert not (copy / "round-02" / "runs" / "0001.npz").exists()
    retrain(DATA, copy, Plan(**PLAN))
    assert results(copy) == results(experiment[0])


@pytest.mark.slow
def test_a_sigkill_in_the_middle(experiment, tmp_path, environment):
    """The command line, killed as soon as a run of round 1 is done: the power cut of contract 5."""
    np.savez(
        tmp_path / "squares.npz",
        train_x=DATA.training.images, train_y=DATA.training.labels,
        test_x=DATA.test.images, test_y=DATA.test.labels, classes=np.array(DATA.labels),
    )  # fmt: skip
    out = tmp_path / "out"
    flags = [f"--{key.replace('_', '-')}={value}" for key, value in PLAN.items() if key != "assignments"]
    command = [
        sys.executable,
        "-m",
        "fooling",
        "retrain",
        str(tmp_path / "squares.npz"),
        "--out",
        str(out),
        *flags,
    ]
    command += [part for one in SMALL for part in ("--set", one)]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    while process.poll() is None and not (out / "round-01" / "runs" / "0000.npz").exists():
        time.sleep(0.01)
    kill_process(process)
    again = subprocess.run(
        [*command, "--json", "--quiet"], env=environment, capture_output=True, text=True, check=False
    )
    assert again.returncode == 0, again.stderr
    assert again.stderr == ""
    assert results(out) == results(experiment[0])
    assert json.loads(again.stdout) == json.loads((experiment[0] / "retrain.json").read_text())
