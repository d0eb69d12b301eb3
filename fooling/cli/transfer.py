"""`fooling transfer`: do the images fool other networks too?"""

from __future__ import annotations

from pathlib import Path

import click

from fooling.cli.options import Share, cluster_options, force_option, json_option, trust_option
from fooling.cli.results import finish, usage
from fooling.errors import FoolingError
from fooling.model_specs import split
from fooling.terminal import tell


@click.command()
@click.argument("directories", metavar="RUN...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--to",
    "targets",
    metavar="SPEC[,SPEC...]",
    required=True,
    multiple=True,
    help="The classifiers to show them to.",
)
@click.option(
    "--min-confidence",
    type=Share(),
    default=0.0,
    help="Only elites of at least this confidence at home (default: all).",
)
@click.option(
    "--rerender", is_flag=True, help="Draw CPPNs anew at each target's size; don't resize their pixels."
)
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path),
    default=Path("transfer"),
    show_default=True,
    help="The folder for data, heat map and page.",
)
@force_option
@cluster_options
@trust_option
@json_option
def transfer(
    directories: tuple[Path, ...],
    targets: tuple[str, ...],
    min_confidence: float,
    rerender: bool,
    out: Path,
    force: bool,
    workers: int | None,
    address: str | None,
    no_wait: bool,
    trust: bool,
    as_json: bool,
) -> int:
    """Show the elites of runs to other classifiers.

    A run's own classifier may be among them: its column says how many elites are top-1 at home.

    \b
    Examples:
      fooling transfer runs/mine --to builtin:lenet-b,builtin:mlp
      fooling transfer runs/mine --to file:other.toml --min-confidence 0.99
    """
    specs = [spec for given in targets for spec in given.split(",") if spec]
    if specs and all(map(_is_typo, specs)):
        split(specs[0])  # tells before anything heavy is imported; a typo beside others is left out
    from fooling.files import refuse_foreign
    from fooling.present.transfer import folder, table
    from fooling.studies.protocol import Resources
    from fooling.studies.transfer.result import KIND, Request
    from fooling.studies.transfer.study import study

    with usage():
        request = Request(runs=directories, to=tuple(specs), min_confidence=min_confidence, rerender=rerender)
    refuse_foreign(out, folder.DATA, KIND, force)  # before the work, not after it
    result = study(request, resources=Resources(trust, workers, address, not no_wait, tell))
    return finish(result, folder.write(result, out, force), table.pages, as_json)


def _is_typo(spec: str) -> bool:
    try:
        split(spec)
    except FoolingError:
        return True
    return False
