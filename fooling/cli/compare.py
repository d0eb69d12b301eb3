"""`fooling compare`: runs beside each other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fooling.cli.options import force_option, json_option
from fooling.cli.terminal import draw, say, say_json, tell
from fooling.errors import PARTLY, FoolingError

if TYPE_CHECKING:
    from fooling.store.snapshot import Snapshot
    from fooling.studies.compare.comparison import Comparison


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
    if len(directories) < 2:
        raise click.UsageError(f"expected two runs or more, found {len(directories)}")
    if len({path.resolve() for path in directories}) < len(directories):
        raise click.UsageError("expected each run once")
    from fooling.files import refuse_foreign
    from fooling.present.compare import folder
    from fooling.studies.compare import comparison as comparisons
    from fooling.studies.compare.document import KIND, document
    from fooling.studies.compare.images import read_training

    refuse_foreign(out, folder.DATA, KIND, force)  # before the work, not after it
    views, left_out = _open(directories)
    training = read_training(data, views[0].stored_pixels.shape[1:]) if data else None
    found = comparisons.compare(views, training)
    written = document(found, {str(path): str(error) for path, error in left_out.items()})
    files = folder.write(found, written, out, force)
    if as_json:
        say_json(written)
    else:
        _print(found, files)
    for path, error in left_out.items():
        tell(f"warning: {path} was left out: {error}")
    return PARTLY if left_out else 0


def _open(directories: tuple[Path, ...]) -> tuple[list[Snapshot], dict[Path, FoolingError]]:
    """The runs that can be compared, and what is wrong with the others. Where fewer than two can be, that is the
    error."""
    from fooling.store.reading import open_run
    from fooling.studies.compare.comparison import check_run

    views, left_out = [], {}
    for path in directories:
        try:
            view = open_run(path)
            check_run(view)
        except FoolingError as error:
            left_out[path] = error
        else:
            views.append(view)
    if len(views) < 2:
        path, first = next(iter(left_out.items()))
        raise first if str(path) in str(first) else type(first)(f"{path}: {first}")
    return views, left_out


def _print(found: Comparison, files: list[Path]) -> None:
    from fooling.present.compare.table import pages

    draw(*pages(found))
    for file in files:
        say(file)
