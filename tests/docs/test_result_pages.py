"""The pages of results say what the runs say: a wrong page is quoted, and is all that is left of a long run."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from docs.results.make import run_page, transfer_page
from fooling.store.reading import open_run
from tests.conftest import ROOT


def test_transfer_leaves_home_out_and_counts_each_run_once() -> None:
    """The share that is quoted beside the paper's: a network's answers to its own elites are no transfer."""

    def image(source: str, confidence: float, ranks: dict[str, int]) -> dict[str, Any]:
        targets = [{"target": target, "rank": rank} for target, rank in ranks.items()]
        return {"source": source, "confidence": confidence, "targets": targets}

    models = {"run-a": "python:zoo:a", "run-b": "python:zoo:b"}
    data = {
        "sources": list(models),
        "cells": [
            {"source": source, "source_model": model, "target": f"python:zoo:{target}"}
            for source, model in models.items()
            for target in "abc"
        ],
        "images": [
            image("run-a", 0.999, {"python:zoo:a": 0, "python:zoo:b": 0, "python:zoo:c": 3}),
            image("run-a", 0.5, {"python:zoo:a": 0, "python:zoo:b": 7, "python:zoo:c": 9}),
            image("run-b", 0.5, {"python:zoo:a": 0, "python:zoo:b": 9, "python:zoo:c": 0}),
        ],
    }
    config = SimpleNamespace(encoding=SimpleNamespace(name="cppn"))
    encoding = SimpleNamespace(spec=SimpleNamespace(config=config))
    views: Any = dict.fromkeys(models, encoding)
    assert transfer_page.shares(data, views, "cppn", 0.0, "top1") == [0.25, 1.0]
    assert transfer_page.shares(data, views, "cppn", 0.0, "top5") == [0.5, 1.0]
    assert transfer_page.shares(data, views, "cppn", 0.99, "top1") == [0.5]
    assert transfer_page.shares(data, views, "direct", 0.0, "top1") == []


def test_a_page_of_runs_says_what_the_runs_say(small_run: tuple[Path, dict[str, Any]]) -> None:
    """It is all that is left of a long run."""
    view = open_run(small_run[0])
    body = run_page.body([view, view], "some")
    median = run_page.figure(float(np.median(view.confidence)))
    assert body.count(f"| {view.evaluations:,} |") == 2
    assert f"| {median} |" in body
    assert f"| all | 10 | {median} |" in body, "of two runs that are alike"
    assert f"`{view.archive.digest()[:16]}`" in body
    kept = run_page.record(view)
    assert np.array_equal(np.float32(kept["confidences"]), view.confidence)
    assert kept["resumes"] == 0
    assert run_page.curves([view]).startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["lenet", "mlp"])
def test_an_audit_that_is_published_is_one_that_can_be_read(name: str) -> None:
    """Programs are written against it; a page beside other numbers is quoted."""
    folder = ROOT / "docs" / "results" / "audit"
    data = (folder / f"{name}.json").read_bytes()
    assert hashlib.sha256(data).hexdigest() in (folder / f"{name}.html").read_text()
    assert json.loads(data)["made"]["command"].startswith(f"fooling audit builtin:{name} ")
