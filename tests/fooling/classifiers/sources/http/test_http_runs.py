"""Whole runs against a server: a budget that is spent, a server that goes away or a SIGKILL end them with what
they have, and a resume pays for nothing again."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import fooling
from fooling.classifiers.sources.http.ledger import Ledger
from fooling.errors import InvalidError, OutOfAnswers
from fooling.runs import handle
from fooling.store.reading import open_run
from fooling.store.summary import summary
from tests.fooling.classifiers.sources.http.serving import LABELS, scores_of, write_spec

SMALL = ("search.generations=5", "search.population=20", "run.chunk=10", "run.checkpoint_seconds=3600")
CHECKED = 10  # images of the check before a run
CONFIGS = ("mnist-cppn", "mnist-direct")


def start(config: str, out: Path, model: str, *more: str) -> Any:
    return fooling.run(config, out=out, assignments=[*SMALL, *more], flags={"model": model})


def spent(folder: Path) -> int:
    ledger = Ledger(folder / "vision.answers")
    try:
        return ledger.usage.queries
    finally:
        ledger.close()


@pytest.mark.parametrize("config", CONFIGS)
def test_a_run_that_spends_its_budget_ends_with_what_it_has_and_goes_on_with_more(config, servers, tmp_path):
    whole_server, server = servers(), servers()
    (tmp_path / "whole").mkdir()
    model = write_spec(tmp_path / "whole" / "vision.toml", whole_server.url)
    whole = start(config, tmp_path / "whole" / "run", model)
    assert whole.status == "completed"
    assert len(whole_server.asked) == len(set(whole_server.answered)) == spent(tmp_path / "whole")

    budget = len(whole_server.asked) * 2 // 3
    model = write_spec(tmp_path / "vision.toml", server.url, budget={"queries": budget})
    run = start(config, tmp_path / "run", model)
    assert run.status == "interrupted"
    assert f"the budget is spent ({budget} queries of at most {budget})" in run.reason
    assert len(server.asked) == spent(tmp_path) == budget
    assert 0 < run.generation < 5
    assert (tmp_path / "run" / "gallery.html").is_file()
    read = open_run(tmp_path / "run")
    assert summary(read) == summary(run), "what is kept is what was shown"
    assert all((tmp_path / "run" / elite.image).is_file() for elite in summary(read).elites)

    again = fooling.resume(tmp_path / "run")
    assert (again.status, again.generation) == ("interrupted", run.generation)
    assert len(server.asked) == budget, "the check, and what is known, must cost nothing"

    write_spec(tmp_path / "vision.toml", server.url)
    done = fooling.resume(tmp_path / "run")
    assert done.status == "completed"
    assert done.reason == ""
    assert done.archive.digest() == whole.archive.digest()
    assert len(server.asked) == len(set(server.answered)) == len(whole_server.asked)


def test_a_stated_confidence_is_what_the_server_says_of_the_png(server, tmp_path):
    """Contract 1, with a client that shares nothing with this one."""
    run = start("mnist-cppn", tmp_path / "run", write_spec(tmp_path / "vision.toml", server.url))
    for elite in summary(run).elites:
        data = (tmp_path / "run" / elite.image).read_bytes()
        with urllib.request.urlopen(urllib.request.Request(server.url, data=data)) as reply:
            said = {item["label"]: item["score"] for item in json.load(reply)["predictions"]}
        assert np.float32(said[elite.label]) == np.float32(elite.confidence)
        with Image.open(io.BytesIO(data)) as image:
            assert np.float32(scores_of(np.asarray(image))[elite.label]) == np.float32(elite.confidence)
    assert len(run.archive.occupied) == len(LABELS)


def test_a_server_that_fails_for_good_ends_a_run_with_what_it_has(server, tmp_path):
    model = write_spec(tmp_path / "vision.toml", server.url, pace={"retries": 1})
    server.script, server.always = ["ok"] * (CHECKED + 50), "503"
    run = start("mnist-direct", tmp_path / "run", model)
    assert run.status == "interrupted"
    assert "no answer in 2 tries: the server answered 503" in run.reason
    assert run.generation >= 1
    server.always = "ok"
    done = fooling.resume(tmp_path / "run")
    assert done.status == "completed"
    assert len(server.answered) == len(set(server.answered))


def test_before_a_run_trouble_leaves_no_run_behind(server, tmp_path):
    server.always = "503"
    with pytest.raises(OutOfAnswers):
        start("mnist-cppn", tmp_path / "run", write_spec(tmp_path / "vision.toml", server.url))
    server.always = "401"
    with pytest.raises(InvalidError, match="the server refuses: 401"):
        start("mnist-cppn", tmp_path / "run", write_spec(tmp_path / "vision.toml", server.url))
    assert not (tmp_path / "run").exists()


def test_one_process_keeps_the_budget(server, tmp_path):
    """Workers on other machines would each have a budget of their own. No Ray is started to find out."""
    write_spec(tmp_path / "vision.toml", server.url)
    (tmp_path / "both.toml").write_text(
        'name = "both"\n[ensemble]\nmembers = ["http:{0}", "http:{0}"]\n'.format(tmp_path / "vision.toml")
    )
    for model in (f"http:{tmp_path / 'vision.toml'}", f"file:{tmp_path / 'both.toml'}"):
        with pytest.raises(
            InvalidError, match=r"run\.workers: expected none for a remote classifier.*pace\.concurrency"
        ):
            start("mnist-cppn", tmp_path / "run", model, "run.workers=2")


def test_there_are_no_gradients(server, tmp_path):
    model = write_spec(tmp_path / "vision.toml", server.url)
    with pytest.raises(InvalidError, match="gradient"):
        handle.run("mnist-ascent", out=tmp_path / "run", flags={"model": model})


@pytest.fixture
def command(tmp_path, server, environment):
    """`command(*arguments)`: the command line in the test's folder, with a key in the environment."""
    headers = {"Authorization": "Bearer ${FOOLING_HTTP_KEY}"}
    write_spec(tmp_path / "vision.toml", server.url, request={"headers": headers}, budget={"queries": 70})
    variables = {**environment, "FOOLING_HTTP_KEY": "s3cret-of-mine"}

    def call(*arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "fooling", *arguments],
            cwd=tmp_path,
            env=variables,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    return call


RUN = ("run", "mnist-direct", "--model", "http:vision.toml", "--out", "run", "--quiet", "--json")
SETS = tuple(part for setting in SMALL for part in ("--set", setting))


def test_the_command_line_says_why_and_keeps_no_secret(command, server, tmp_path):
    process = command(*RUN, *SETS)
    printed, told = process.communicate(timeout=200)
    assert process.returncode == 5, told
    assert told.count("\n") == 1
    assert told.startswith("warning: http:vision.toml: the budget is spent (70 queries of at most 70)")
    assert told.endswith("continue with: fooling resume run\n")
    shown = json.loads(printed)
    assert shown["status"] == "interrupted"
    assert "the budget is spent" in shown["reason"]
    assert {asked.headers["authorization"] for asked in server.asked} == {"Bearer s3cret-of-mine"}
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or b"s3cret" not in path.read_bytes(), path
    assert (
        json.loads((tmp_path / "run" / "events.jsonl").read_text().splitlines()[-1])["reason"]
        == shown["reason"]
    )


def test_after_sigkill_only_what_was_under_way_is_asked_again(command, server, tmp_path):
    """What the server was sent but this machine had not yet kept is lost; everything else is paid once."""
    server.script, server.always = ["ok"] * 45, "stall"
    process = command(*RUN, *SETS)
    try:
        while len(server.asked) <= 45 and process.poll() is None:
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
    finally:
        process.communicate()
        server.always = "ok"
        server.waits.set()
    before = len(server.asked)
    assert 46 <= before <= 49  # pace.concurrency is 4
    assert before <= spent(tmp_path) <= before + 4  # counted, then sent
    spec = tmp_path / "vision.toml"
    spec.write_text(spec.read_text().replace('"queries" = 70', '"queries" = 1000'))
    resumed = command("resume", "run", "--json", "--quiet")
    printed, told = resumed.communicate(timeout=200)
    assert resumed.returncode == 0, told
    assert json.loads(printed)["status"] == "completed"
    assert len(server.answered) - len(set(server.answered)) <= 4  # pace.concurrency
    assert spent(tmp_path) - len(server.asked) <= 4
