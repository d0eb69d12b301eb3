"""`fooling recognition`: what did people see in the images?"""

from __future__ import annotations

from pathlib import Path

import click

from fooling.cli.options import json_option
from fooling.cli.results import finish, usage


@click.command()
@click.argument("directories", metavar="RUN...", nargs=-1, required=True, type=click.Path(path_type=Path))
@json_option
def recognition(directories: tuple[Path, ...], as_json: bool) -> int:
    """Count what people recognised in runs.

    People are asked on a page of `fooling serve` ("Ask people" on a run's page): they see elites among real images, and
    say which class each is, or which of two labels it got. Their answers lie in the run directories.

    \b
    Examples:
      fooling recognition runs/cppn runs/direct
      fooling recognition runs/* --json
    """
    from fooling.present.recognition import pages
    from fooling.studies.recognition.study import Request, study

    with usage():
        request = Request(runs=directories)
    return finish(study(request), [], pages, as_json)
