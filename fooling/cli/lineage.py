"""`fooling lineage`: where an elite came from."""

from __future__ import annotations

from pathlib import Path

import click

from fooling.cli.look import run_argument
from fooling.cli.options import json_option, trust_option
from fooling.cli.results import finish
from fooling.errors import naming_write_errors


@click.command()
@run_argument
@click.option(
    "--class", "wanted", required=True, metavar="K", help="The elite's class: its number, or its label."
)
@click.option("--out", metavar="FILE", type=click.Path(path_type=Path), help="The HTML file to write.")
@trust_option
@json_option
def lineage(directory: Path, wanted: str, out: Path | None, trust: bool, as_json: bool) -> int:
    """Show an elite's ancestors, with their images.

    They go back to the first generation. Those that were not kept are bred once more from their keys, exactly.

    \b
    Examples:
      fooling lineage runs/mine --class 3
      fooling lineage runs/mine --class pinwheel --out pinwheel.html
    """
    from fooling.files import replacing
    from fooling.present.lineage import page, pages
    from fooling.studies.lineage.result import Request
    from fooling.studies.lineage.study import study
    from fooling.studies.protocol import Resources
    from fooling.text import encoded

    result = study(Request(run=directory, wanted=wanted), resources=Resources(trust))
    out = out or Path(result.run) / f"lineage-{result.number:04d}.html"
    with naming_write_errors(out), replacing(out) as file:
        file.write(encoded(page(result)))
    return finish(result, [out], pages, as_json)
