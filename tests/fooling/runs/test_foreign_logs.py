"""Lineage and log of a stranger's run: what was cut, shuffled or altered is said in one line, and nothing is written
before both are known to be whole."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from fooling.archive import lineage
from fooling.cli.app import cli
from fooling.errors import FoolingError, InvalidError
from tests.fooling.runs.foreign import copy_of, edit_checkpoint, tree, unfinished


def told(*words: object) -> str:
    """The one line that a command ends with."""
    result = CliRunner().invoke(cli, [str(word) for word in words], standalone_mode=False)
    assert isinstance(result.exception, InvalidError), result.exception
    assert "\n" not in str(result.exception)
    return str(result.exception)


def rows(run: Path) -> np.ndarray:
    return lineage.read(run / "lineage").copy()


def _swapped(table):
    table[[5, 6]] = table[[6, 5]]


def _orphan(table):
    table[-1, 3:7] = -1


def _younger_parent(table):
    table[-1, 3] = table[-1, 0]


def _strange_class(table):
    table[-1, 6] = 10


def _mate(table):
    table[-1, 7:11] = table[-1, 3:7]


def _twice(table):
    table[4] = table[3]


ALTERED = (_swapped, _orphan, _younger_parent, _strange_class, _mate, _twice)


@pytest.mark.parametrize("change", ALTERED, ids=lambda change: change.__name__)
@pytest.mark.parametrize("command", ["lineage", "resume"])
def test_a_lineage_that_was_altered(command, change, small_run, tmp_path):
    run = unfinished(small_run[0], tmp_path)
    table = rows(run)
    change(table)
    (run / "lineage").write_bytes(lineage.to_bytes(table))
    before = tree(run)
    words = ("lineage", run, "--class", 0) if command == "lineage" else ("resume", run)
    assert "lineage: record" in told(*words)
    assert tree(run) == before


def test_an_ancestor_that_nobody_tells_of(small_run, tmp_path):
    run = copy_of(small_run[0], tmp_path)
    table = rows(run)
    table = table[table[:, 0] > 0]
    (run / "lineage").write_bytes(lineage.to_bytes(table))
    edit_checkpoint(run, lambda h, _: h["__metadata__"]["state"].update(lineage_bytes=table.nbytes))
    assert "the lineage does not tell of child" in told("lineage", run, "--class", 0)


@pytest.mark.parametrize("command", ["lineage", "resume", "show --json"])
@pytest.mark.parametrize("how", ["gone", "cut", "emptied"])
def test_a_lineage_that_is_cut(how, command, small_run, tmp_path):
    run = unfinished(small_run[0], tmp_path)
    if how == "gone":
        (run / "lineage").unlink()
    else:
        os.truncate(run / "lineage", 100 if how == "cut" else 0)
    name, *options = command.split()
    assert "lineage" in told(name, run, *options, *(("--class", 0) if name == "lineage" else ()))


def test_a_lineage_of_torn_records(small_run, tmp_path):
    run = copy_of(small_run[0], tmp_path)
    edit_checkpoint(run, lambda h, _: h["__metadata__"]["state"].update(lineage_bytes=45))
    assert "expected records of 44 bytes" in told("lineage", run, "--class", 0)


def test_a_lineage_without_end(small_run, tmp_path):
    """A sparse file of a terabyte costs a stranger nothing, and its digest hours."""
    run = copy_of(small_run[0], tmp_path)
    os.truncate(run / "lineage", 10**12)
    edit_checkpoint(run, lambda h, _: h["__metadata__"]["state"].update(lineage_bytes=10**12))
    for words in (("show", run, "--json"), ("lineage", run, "--class", 0)):
        assert "lineage: expected at most" in told(*words)


@pytest.mark.parametrize("where", ["in the first line", "before all", "in the last line"])
def test_a_log_that_the_checkpoint_cuts_elsewhere(where, small_run, tmp_path):
    """To go on there would join two halves of lines, or tell generations twice."""
    run = unfinished(small_run[0], tmp_path)
    whole = (run / "events.jsonl").stat().st_size
    length = {"in the first line": 17, "before all": 0, "in the last line": whole - 3}[where]
    edit_checkpoint(run, lambda h, _: h["__metadata__"]["state"].update(events_bytes=length))
    before = tree(run)
    assert "events.jsonl can't be what this run wrote" in told("resume", run)
    assert tree(run) == before


def test_a_log_with_another_name(small_run, tmp_path):
    """A hard link: what is appended here would be appended there."""
    run = unfinished(small_run[0], tmp_path)
    os.link(run / "events.jsonl", tmp_path / "precious")
    assert "events.jsonl is also a file elsewhere" in told("resume", run)


def test_an_empty_log_in_a_comparison(small_run, tmp_path, monkeypatch):
    """The elites are there and nothing says at what cost."""
    monkeypatch.chdir(tmp_path)
    run = copy_of(small_run[0], tmp_path)
    (run / "events.jsonl").write_text("")
    assert "its log does not tell how class 0 got its elite" in told("compare", run, small_run[0])


def test_half_a_log_in_a_comparison(small_run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = copy_of(small_run[0], tmp_path)
    lines = (run / "events.jsonl").read_text().splitlines(keepends=True)
    later = [line for line in lines if json.loads(line).get("generation", 99) > 3]
    (run / "events.jsonl").write_text("".join(later))
    assert "its log does not tell" in told("compare", run, small_run[0])


@pytest.mark.parametrize("command", ["show", "show --json"])
def test_looking_writes_nothing(command, small_run, tmp_path):
    """A reader of a stranger's directory leaves it as it was, lost images and all."""
    run = copy_of(small_run[0], tmp_path)
    (run / "elites" / "0003.png").unlink()
    before = tree(tmp_path)
    name, *options = command.split()
    result = CliRunner().invoke(cli, [name, str(run), *options], standalone_mode=False)
    assert result.exception is None
    assert tree(tmp_path) == before


def test_an_error_of_the_disk_is_still_one_of_the_disk(tmp_path):
    """Exit 4 for what is not there."""
    result = CliRunner().invoke(cli, ["show", str(tmp_path / "nothing")], standalone_mode=False)
    assert isinstance(result.exception, FoolingError)
    assert result.exception.exit_code == 4
