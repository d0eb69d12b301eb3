"""`fooling run` and `fooling resume`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from fooling.runs.view import RunView

INTERRUPTED = 130

quiet_option = click.option("--quiet", is_flag=True, help="No progress, no table.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")


@click.command()
@click.argument("config", required=False)
@click.option("--model", metavar="SPEC", help="The classifier, as source:name (default: builtin:lenet).")
@click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="KEY=VALUE",
    help="A setting, like search.generations=60; may be repeated.",
)
@click.option("--seed", type=click.IntRange(min=0), help="The seed of all randomness (default: 0).")
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path), help="The run directory to make.")
@click.option("--trust", is_flag=True, help="Let the model bring code of its own.")
@quiet_option
@json_option
def run(
    config: str | None,
    model: str | None,
    assignments: tuple[str, ...],
    seed: int | None,
    out: Path | None,
    trust: bool,
    quiet: bool,
    as_json: bool,
) -> int:
    """Evolve fooling images.

    CONFIG is the name of a ready-made config (mnist-cppn, mnist-direct, ...) or the path of a TOML file.
    Without it, CPPN images are evolved against the LeNet that ships with the package.
    """
    from fooling.cli.progress import Progress
    from fooling.runs import launch

    flags: dict[str, Any] = {
        key: value for key, value in (("model", model), ("seed", seed)) if value is not None
    }
    with Progress(quiet) as progress:
        view = launch.run(
            config, out=out, assignments=assignments, flags=flags, trust=trust, report=progress.update
        )
    return _finish(view, quiet, as_json)


@click.command()
@click.argument("directory", metavar="RUN", type=click.Path(path_type=Path))
@quiet_option
@json_option
def resume(directory: Path, quiet: bool, as_json: bool) -> int:
    """Continue an interrupted run, to the same end as if it had never been interrupted."""
    from fooling.cli.progress import Progress
    from fooling.runs import launch

    with Progress(quiet) as progress:
        view = launch.resume(directory, report=progress.update, warn=progress.warn)
    return _finish(view, quiet, as_json)


def _finish(view: RunView, quiet: bool, as_json: bool) -> int:
    from fooling.runs.view import summary

    if as_json:
        click.echo(json.dumps(summary(view), ensure_ascii=False))
    elif not quiet:
        from fooling.cli.look import print_table

        print_table(view)
    if view.status == "interrupted":
        click.echo(f"interrupted; continue with: fooling resume {_short(view.directory)}", err=True)
        return INTERRUPTED
    return 0


def _short(path: Path) -> str:
    """A path as a user would type it."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
