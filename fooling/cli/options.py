"""Options that several commands share."""

from __future__ import annotations

import textwrap
from typing import Any

import click


class Share(click.FloatRange):
    """A number from 0 to 1, which "nan" is not."""

    def __init__(self, **options: Any) -> None:
        super().__init__(0, 1, **options)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = super().convert(value, param, ctx)
        if number != number:
            self.fail(f"expected a number from 0 to 1, found {value}", param, ctx)
        return number


class WithConfigs(click.Command):
    """A command whose help ends in the names of the ready-made configs."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from fooling.ready_made import names

        with formatter.section("Ready-made configs"):
            room = formatter.width - formatter.current_indent
            for line in textwrap.wrap(", ".join(names()), room, break_on_hyphens=False):
                formatter.write_text(line)


def cluster_options(command: Any) -> Any:
    """Where to compute: on Ray workers, and on which cluster."""
    for option in (
        click.option(
            "--no-wait", is_flag=True, help="Fail where the cluster lacks what the workers need, don't wait."
        ),
        click.option(
            "--address",
            metavar="HOST:PORT",
            help="The Ray cluster to compute on, or `auto` (default: one is started on this machine).",
        ),
        click.option(
            "--workers",
            type=click.IntRange(min=0),
            help="Compute on so many Ray workers; 0: in this process.",
        ),
    ):
        command = option(command)
    return command


quiet_option = click.option("--quiet", is_flag=True, help="No progress, no table.")
trust_option = click.option("--trust", is_flag=True, help="Let the model bring code of its own.")
force_option = click.option("--force", is_flag=True, help="Write over what is there.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
