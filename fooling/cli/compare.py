"""`fooling compare`: runs beside each other."""

from __future__ import annotations

from pathlib import Path

import click

from fooling.cli.options import force_option, json_option
from fooling.cli.results import finish, usage


@click.command()
@click.argument("directories", metavar="RUN RUN...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path),
    default=Path("comparison"),
    show_default=True,
    help="The folder for figures, data and a gallery.",
)
@click.option(
    "--data",
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="The training images, in any form that fooling train takes: how far are the elites from the nearest?",
)
@force_option
@json_option
def compare(directories: tuple[Path, ...], out: Path, data: Path | None, force: bool, as_json: bool) -> int:
    """Compare runs: how sure, at what cost, of what images.

    Runs that differ in their seed only are repeats of each other: give several of each kind, and a rank test says
    whether the difference is more than luck.

    \b
    Examples:
      fooling compare runs/cppn-0 runs/cppn-1 runs/direct-0 runs/direct-1 --out cppn-direct
    """
    from fooling.files import refuse_foreign
    from fooling.present.compare import folder
    from fooling.present.compare.table import pages
    from fooling.studies.compare.result import KIND, Request
    from fooling.studies.compare.study import study

    with usage():
        request = Request(runs=directories, data=data)
    refuse_foreign(out, folder.DATA, KIND, force)  # before the work, not after it
    result = study(request)
    return finish(result, folder.write(result, out, force), lambda found: pages(found.comparison), as_json)
