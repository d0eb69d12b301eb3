"""Help: what a newcomer reads first, and last."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from fooling.cli.app import cli
from fooling.ready_made import names


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        yield (*path, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


ALL = list(commands(cli))


def help_of(path: tuple[str, ...]) -> str:
    result = CliRunner().invoke(cli, [*path, "--help"], terminal_width=80)
    assert result.exit_code == 0
    return result.output


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_has_an_example_of_its_own(path: tuple[str, ...]) -> None:
    """A failure costs a search of the pages for the form of a line."""
    text = help_of(path)
    assert "  Examples:\n" in text
    assert f"    fooling {' '.join(path)}" in text


@pytest.mark.parametrize("path", [(), ("models",), ("bench",)])
def test_no_summary_is_cut(path: tuple[str, ...]) -> None:
    """A failure hides the end of what a command does from the list that tells them apart."""
    assert "..." not in help_of(path).partition("Commands:")[2]


def test_the_ready_made_configs_are_listed() -> None:
    words = help_of(("run",)).partition("Ready-made configs:")[2].replace(",", " ").split()
    assert words == names()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("fooling run mnist-d", ["mnist-direct", "mnist-direct-released", "mnist-direct-single"]),
        ("fooling run --model builtin:l", ["builtin:lenet", "builtin:lenet-b"]),
        ("fooling models check ti", ["timm:"]),
        ("fooling retrain --config mnist-cppn-s", ["mnist-cppn-single"]),
        ("fooling tr", ["transfer", "train"]),
    ],
)
def test_a_shell_completes_names(line: str, expected: list[str], environment: dict[str, str]) -> None:
    """A failure costs a look at the list of configs for every run."""
    variables = {"_FOOLING_COMPLETE": "zsh_complete", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
    command = [sys.executable, "-c", "from fooling.cli import main; main()"]
    result = subprocess.run(command, env={**environment, **variables}, capture_output=True, text=True)
    completed = result.stdout.splitlines()
    assert completed[::3] == ["plain"] * len(expected)
    assert [value.replace("\\:", ":") for value in completed[1::3]] == expected
    assert not result.stderr
