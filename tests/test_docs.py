"""The documentation is checked against the code: a page that lies costs a newcomer their first hour."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md"]


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
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        import settings
    finally:
        sys.path.pop(0)
    assert (ROOT / "docs" / "settings.md").read_text() == settings.page()
