"""What is printed. A failure lets foreign text steer the terminal, spoils the JSON that a program reads, or reports a
finished run as failed since a letter could not be printed."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.bar import Bar
from rich.cells import cell_len

import fooling
from fooling import terminal
from fooling.present.listing import Parts, listing, words

PACKAGE = Path(fooling.__file__).parent
HOSTILE = "[red]a[/b] :bug:\x1b[31m\n\u202eb"
SHOWN = r"[red]a[/b] :bug:\x1b[31m\n\u202eb"


def test_nothing_else_prints() -> None:
    """A raw print, of rich's most of all, would forget what the one place for it knows."""
    raw = re.compile(
        r"\bclick\.(s?echo|secho)\b|(?<![\w.])print\(|\brich\.(console import .*\bConsole|print|text|markup)\b"
        r"|\bsys\.std(out|err)\.write\b|\brich import (print|get_console)"
    )
    allowed = {"terminal.py", "present/listing.py"}
    found = [
        f"{path.relative_to(PACKAGE)}:{number}: {line}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if str(path.relative_to(PACKAGE)) not in allowed
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if raw.search(line)
    ]
    assert not found, "\n".join(found)


def test_strings_are_drawn_as_they_are() -> None:
    file = io.StringIO()
    table = listing(HOSTILE)
    table.add_column(HOSTILE)
    table.add_row(HOSTILE)
    table.add_row(words(HOSTILE, style="bold"))
    terminal.console(file, width=80).print(HOSTILE, table)
    drawn = file.getvalue()
    assert drawn.count(SHOWN) == 5
    assert not set(drawn) & set("\x1b\u202e")


PROGRAM = """
import atexit, os, sys
import click
from fooling import terminal
from fooling.cli import app

LABEL = "\\u732b caf\\u00e9 \\U0001f408 \\udce9 \\x1b \\u202e"

@click.command()
@click.option("--fail", is_flag=True)
def noisy(fail):
    "Help."
    print("by Python", LABEL)
    os.write(1, b"by C\\n")
    os.system("echo by a child")
    atexit.register(print, "at exit")
    terminal.tell(LABEL)
    if fail:
        raise RuntimeError(LABEL)
    terminal.say_json({"label": LABEL})
    terminal.say(LABEL)
    terminal.draw(LABEL)

app.add(noisy)
app.main()
"""


def noisy(environment: dict[str, str], *arguments: str, **variables: str) -> Any:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, "noisy", *arguments],
        env={**environment, **variables},
        capture_output=True,
        check=False,
    )


ENCODINGS = [
    {},
    {"PYTHONIOENCODING": "ascii"},
    {"PYTHONIOENCODING": "cp1252:strict"},
    {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
]


@pytest.mark.parametrize("variables", ENCODINGS, ids=str)
def test_stdout_holds_data_alone_in_any_encoding(
    environment: dict[str, str], variables: dict[str, str]
) -> None:
    """JSON that follows a network's own prints can't be read."""
    result = noisy(environment, **variables)
    assert result.returncode == 0, result.stderr
    first, *others = result.stdout.decode("latin-1").splitlines()
    assert json.loads(first) == {"label": "猫 café 🐈 \udce9 \x1b \u202e"}
    assert len(others) == 2
    assert all(line.endswith(r"\udce9 \x1b \u202e") for line in others)
    for words_ in (b"by Python", b"by C", b"by a child", b"at exit"):
        assert words_ in result.stderr
    assert b"\x1b" not in result.stdout


def test_errors_are_plain_too(environment: dict[str, str]) -> None:
    for arguments in (["--fail"], ["--fail", "--debug"]):
        result = noisy(environment, *arguments, PYTHONIOENCODING="ascii")
        assert result.returncode == 1
        told = result.stderr.splitlines()
        assert any(line.startswith(b"error: RuntimeError: ") and b"\x1b" not in line for line in told)
        assert (b"Traceback (most recent call last):" in told) == (len(arguments) == 2)


def test_the_log_is_shown_only_when_asked_for(environment: dict[str, str]) -> None:
    """A failure fills the terminals of all users with notes, or gives those who debug none."""
    program = (
        "import logging, fooling; from fooling.terminal import show_log\n"
        "log = logging.getLogger('fooling.classifiers'); log.warning('before'); show_log(); log.debug('\\x1b[31m')"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert shown.stderr.splitlines() == [r"debug: fooling.classifiers: \x1b[31m"]


def test_help_is_data(environment: dict[str, str]) -> None:
    assert b"Help." in noisy(environment, "--help").stdout


def test_closed_streams_are_no_trap(environment: dict[str, str]) -> None:
    """The next file that is opened would take the place of a closed stream, and get what is printed."""
    for closing in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
        code = f'"$0" -c "$1" noisy {closing}'
        result = subprocess.run(["sh", "-c", code, sys.executable, PROGRAM], env=environment, check=False)
        assert result.returncode == 0, closing


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_columns_stay_in_line_in_any_encoding(encoding: str) -> None:
    """An escape that is wider than the sign that it stands for breaks every table with a class without an elite."""
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding, errors="fooling.plain")
    table = listing()
    for heading in ("label", "found"):
        table.add_column(heading, max_width=12, no_wrap=True, overflow="ellipsis")
    for label, found in (("猫", "–"), ("café", "7"), ("a long long label", "…"), ("plain", "–")):
        table.add_row(label, found)
    terminal.console(file, width=80).print(table, Bar(10, 0, 5, width=10))
    file.flush()
    *rows, bar = raw.getvalue().decode(encoding).splitlines()
    rows = [row for row in rows if row.strip()]
    assert len({cell_len(row) for row in rows}) == 1
    assert (r"\u732b" in "".join(rows)) == (encoding != "utf-8")
    assert not any(sign in "".join([*rows, bar]) for sign in (r"\u2013", r"\u2026", r"\u2588"))


@pytest.mark.parametrize("width", [30, 80])
def test_a_line_ends_between_its_parts(width: int) -> None:
    file = io.StringIO()
    line = "mnist-cppn-seed0 with a longer name: builtin:resnet-mini, CPPN, map-elites, seed 0, and no more"
    terminal.console(file, width=width).print(Parts(line))
    drawn = file.getvalue().splitlines()
    assert len(drawn) > 1
    assert " ".join(part.strip() for part in drawn) == line
    assert any("seed 0" in part for part in drawn)
    assert max(map(len, drawn)) <= width
