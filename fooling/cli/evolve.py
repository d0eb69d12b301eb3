"""`fooling run` and `fooling resume`."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fooling.cli.named import ConfigName, ModelSpec
from fooling.cli.terminal import say_json, tell
from fooling.errors import INTERRUPTED, PARTLY

if TYPE_CHECKING:
    from fooling.runs.view import RunView


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


@click.command(cls=WithConfigs)
@click.argument("config", required=False, type=ConfigName())
@click.option("--model", type=ModelSpec(), help="The classifier, as source:name (default: builtin:lenet).")
@click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="KEY=VALUE",
    help="A setting, like search.generations=60; may be repeated.",
)
@click.option("--seed", type=click.IntRange(min=0), help="The seed of all randomness (default: 0).")
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path), help="The run directory to make.")
@cluster_options
@trust_option
@quiet_option
@json_option
def run(
    config: str | None,
    model: str | None,
    assignments: tuple[str, ...],
    seed: int | None,
    out: Path | None,
    workers: int | None,
    address: str | None,
    no_wait: bool,
    trust: bool,
    quiet: bool,
    as_json: bool,
) -> int:
    """Evolve fooling images.

    CONFIG is the name of a ready-made config (listed below) or the path of a TOML file.
    Without it, CPPN images are evolved against the LeNet that ships with the package.

    \b
    Examples:
      fooling run
      fooling run mnist-direct --seed 3 --set search.generations=60
      fooling run --model file:mine.json --out runs/mine
    """
    from fooling.config import resolve
    from fooling.model_specs import split
    from fooling.ready_made import DEFAULT_CONFIG

    given = {"model": model, "seed": seed, "run.workers": workers, "run.address": address}
    flags = {key: value for key, value in given.items() if value is not None}
    split(
        resolve(config or DEFAULT_CONFIG, assignments, flags).model
    )  # typos are told before seconds of imports

    from cppn.jit import told_of_compiling
    from fooling.cli.progress import Progress
    from fooling.runs import launch

    with Progress(quiet) as progress, told_of_compiling(progress.compiling):
        view = launch.run(
            config,
            out=out,
            assignments=assignments,
            flags=flags,
            trust=trust,
            report=progress.update,
            warn=progress.warn,
            wishes=launch.Wishes(not no_wait, progress.tell),
        )
    return _finish(view, quiet, as_json)


@click.command()
@click.argument("directory", metavar="RUN", type=click.Path(path_type=Path))
@cluster_options
@trust_option
@quiet_option
@json_option
def resume(
    directory: Path,
    workers: int | None,
    address: str | None,
    no_wait: bool,
    trust: bool,
    quiet: bool,
    as_json: bool,
) -> int:
    """Continue an interrupted run.

    It comes to the same end as if it had never been interrupted. Without --workers and --address it is computed
    where it was before. A model that brings code needs --trust again: the directory's own word does not count.

    \b
    Examples:
      fooling resume runs/mine
      fooling resume runs/mine --workers 4
    """
    from cppn.jit import told_of_compiling
    from fooling.cli.progress import Progress
    from fooling.runs import launch

    with Progress(quiet) as progress, told_of_compiling(progress.compiling):
        view = launch.resume(
            directory,
            trust=trust,
            report=progress.update,
            warn=progress.warn,
            workers=workers,
            address=address,
            wishes=launch.Wishes(not no_wait, progress.tell),
        )
    return _finish(view, quiet, as_json)


def _finish(view: RunView, quiet: bool, as_json: bool) -> int:
    from fooling.runs.view import summary

    if as_json:
        say_json(summary(view))
    elif not quiet:
        from fooling.cli.look import print_table

        print_table(view)
    if view.status == "interrupted":
        kept = "continue" if view.state["generation"] >= 0 else "nothing was kept yet; begin again"
        told = f"warning: {view.reason}" if view.reason else "interrupted"
        tell(f"{told}; {kept} with: fooling resume {_short(view.directory)}")
        return PARTLY if view.reason else INTERRUPTED
    return 0


def _short(path: Path) -> str:
    """A path as a user would type it."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
