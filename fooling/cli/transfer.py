"""`fooling transfer`: do the images fool other networks too?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fooling.cli.options import Share, cluster_options, force_option, json_option, trust_option
from fooling.cli.terminal import draw, say, say_json, tell
from fooling.errors import PARTLY, FoolingError
from fooling.model_specs import split

if TYPE_CHECKING:
    from fooling.store.view import RunView
    from fooling.studies.transfer.measure import Cell, Source


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
    specs = list(dict.fromkeys(spec for given in targets for spec in given.split(",") if spec))
    if not specs:
        raise click.UsageError("expected classifiers, like --to builtin:lenet,builtin:lenet-b")
    _refuse_typos(specs)
    from fooling.files import refuse_foreign
    from fooling.present.transfer import folder
    from fooling.runs.executors import Wishes
    from fooling.studies.transfer.document import KIND, document

    refuse_foreign(out, folder.DATA, KIND, force)  # before the work, not after it
    left_out: dict[str, str] = {}
    sources = _sources(directories, min_confidence, left_out)
    given = {"run.workers": workers, "run.address": address}
    flags = {key: value for key, value in given.items() if value is not None}
    wishes = Wishes(not no_wait, tell)
    cells = _cells(sources, specs, left_out, flags, trust=trust, rerender=rerender, wishes=wishes)
    data = document(cells, min_confidence, left_out)
    files = folder.write(data, sources, out, force)
    if as_json:
        say_json(data)
    else:
        _print(data, {str(source.view.directory): source.name for source in sources}, files)
    for what, reason in left_out.items():
        tell(f"warning: {what} was left out: {reason}")
    return PARTLY if left_out else 0


def _refuse_typos(specs: list[str]) -> None:
    """Where every target is a typo, tell the first before anything heavy is imported; else they are left out."""
    first: FoolingError | None = None
    for spec in specs:
        try:
            split(spec)
        except FoolingError as error:
            first = first or error
        else:
            return
    if first is not None:
        raise first


def _sources(directories: tuple[Path, ...], least: float, left_out: dict[str, str]) -> list[Source]:
    """The elites of the runs that can be read; where none can, what is wrong with the first is the error."""
    from fooling.store.view import distinct_names, open_run
    from fooling.studies.transfer.measure import sources_of

    views: list[RunView] = []
    first: FoolingError | None = None
    for path in dict.fromkeys(directories):
        try:
            view = open_run(path)
            sources_of([view], [""], least)
        except FoolingError as error:
            first = first or error
            left_out[str(path)] = str(error)
        else:
            views.append(view)
    if first is not None and not views:
        raise first
    return sources_of(views, distinct_names(views), least)


def _cells(
    sources: list[Source], specs: list[str], left_out: dict[str, str], flags: dict[str, Any], **how: Any
) -> list[Cell]:
    """The cells, source by source, of the targets that can be asked; where none can, the first's error."""
    from fooling.studies.transfer.measure import measure

    columns: list[list[Cell]] = []
    first: FoolingError | None = None
    for spec in specs:
        try:
            columns.append(measure(sources, spec, flags, **how))
        except FoolingError as error:
            first = first or error
            left_out[spec] = str(error)
    if first is not None and not columns:
        raise first
    return [column[row] for row in range(len(sources)) for column in columns]


def _print(data: dict[str, Any], names: dict[str, str], files: list[Path]) -> None:
    from fooling.present.transfer.table import pages

    draw(*pages(data, names))
    for file in files:
        say(file)
