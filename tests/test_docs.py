"""The documentation is checked against the code: a page that lies costs a newcomer their first hour."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), *sorted(ROOT.glob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.slow
def test_the_quickstart_works_as_written(tmp_path, environment):
    path = os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])
    page = ROOT / "docs" / "quickstart.md"
    for block in blocks(page, "sh"):
        result = subprocess.run(
            ["bash", "-euc", block], cwd=tmp_path, env={**environment, "PATH": path}, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert result.returncode == 0, block + result.stderr
    script = "\n".join(blocks(page, "python"))
    result = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    for made in ("sheet.png", "large/0009.png", "elites.npz", "both.html", "runs/mine/gallery.html"):
        assert (tmp_path / made).exists(), made


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_are_named_exist(page):
    for name in re.findall(
        r"`((?:fooling|cppn|workers|tests|configs|docs|benchmarks)/[\w./-]+)`", page.read_text()
    ):
        assert (ROOT / name).exists(), name


def test_the_settings_page_is_up_to_date():
    """`python docs/settings.py` writes it from the models that validate the settings."""
    from docs import settings

    assert (ROOT / "docs" / "settings.md").read_text() == settings.page()


def test_every_kind_of_event_is_documented():
    """Other programs read the log; what docs/run-directory.md leaves out they take for damage."""
    from fooling.store.reading import ENDINGS

    code = "".join(path.read_text() for path in (ROOT / "fooling" / "runs").glob("*.py"))
    kinds = {*re.findall(r'\bnote\(\s*"([\w-]+)"', code), *ENDINGS}
    table = (ROOT / "docs" / "run-directory.md").read_text().split("## events.jsonl")[1]
    assert "generation" in kinds
    assert (
        set(re.findall(r"^\| `([\w-]+)` \|", table.split("A `generation` has")[0], re.M)) - {"event"} == kinds
    )


def test_every_key_of_a_generation_is_documented(small_run):
    events = [json.loads(line) for line in (small_run[0] / "events.jsonl").read_text().splitlines()]
    table = (ROOT / "docs" / "run-directory.md").read_text().split("A `generation` has")[1]
    found = {key for event in events if event["event"] == "generation" for key in event}
    rare = {"nan_images"}  # only where a network is NaN for an image
    assert (found | rare) - {"event"} == set(re.findall(r"`([^`]+)`", _first_column(table)))


def _first_column(text: str) -> str:
    """Of the first table in a text."""
    rows = text.split("\n\n")[1].splitlines()[2:]
    return " ".join(row.split("|")[1] for row in rows)
