"""docs/python.md, cell by cell, as a notebook runs it."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from tests.test_docs import ROOT, blocks


def _run_cell(code: str, names: dict[str, Any]) -> Any:
    """The value of the last line of a cell, if it is an expression."""
    tree = ast.parse(code)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)
    return (
        eval(compile(ast.Expression(last.value), "cell", "eval"), names)
        if isinstance(last, ast.Expr)
        else None
    )


def test_every_cell_works_and_what_it_ends_with_shows_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cell that fails, or shows nothing where the page says it does, costs a notebook user their first hour."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    shown = []
    for cell in blocks(ROOT / "docs" / "python.md", "python"):
        value = _run_cell(cell, names)
        if value is not None:
            html = getattr(value, "_repr_html_", lambda: None)()
            assert html or value._repr_png_(), cell
            shown.append(type(value).__name__)
    assert {"Snapshot", "Elite", "RunHandle", "Result", "Image"} <= set(shown), shown
    assert names["stopped"].status == "interrupted"
    assert all((tmp_path / made).exists() for made in ("mine.html", "runs/mine/gallery.html"))
