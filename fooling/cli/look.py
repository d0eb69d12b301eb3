"""`fooling show`, `gallery` and `export`: look at what a run has found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fooling.cli.options import force_option, json_option, trust_option
from fooling.errors import FAILED, FoolingError, naming_write_errors
from fooling.terminal import draw, say, say_json, tell

if TYPE_CHECKING:
    from fooling.runs.verify import Verification
    from fooling.sizes import Size
    from fooling.store.snapshot import Snapshot
    from fooling.studies.recognition.result import People

_LARGEST = 8192  # pixels of a side


class ImageSize(click.ParamType):
    """The longer side in pixels, or height and width: 256, 96x160."""

    name = "N|HxW"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Size:
        sides = str(value).lower().split("x")
        if len(sides) > 2 or not all(side.isdecimal() and 1 <= int(side) <= _LARGEST for side in sides):
            self.fail(
                f"expected 1 to {_LARGEST} pixels, or HEIGHTxWIDTH of such, found {value!r}", param, ctx
            )
        return int(sides[0]) if len(sides) == 1 else (int(sides[0]), int(sides[1]))


run_argument = click.argument("directory", metavar="RUN", type=click.Path(path_type=Path))


@click.command()
@run_argument
@click.option("--verify", "verifies", is_flag=True, help="Classify the elites again: do their claims hold?")
@trust_option
@json_option
def show(directory: Path, verifies: bool, trust: bool, as_json: bool) -> int:
    """Print a run's elites and their confidences.

    With --verify their pixels are classified again by the classifier that the run names, and drawn again from their
    genotypes; where a claim does not hold, the exit code is 1.

    \b
    Examples:
      fooling show runs/mine
      fooling show runs/mine --verify --json
    """
    from fooling.store.reading import open_run
    from fooling.store.summary import summary

    view = open_run(directory)
    for problem in view.problems:
        tell(f"warning: {problem}; generation {view.generation} is shown")
    verified = None
    if verifies:
        from fooling.runs.verify import verify

        verified = verify(view, trust)
    people = _people(view)
    if as_json:
        more = {"people": people.document() if people else None}
        say_json(
            summary(view).document() | more | ({"verification": verified.document()} if verified else {})
        )
    else:
        print_table(view)
        _print_people(people, view)
        if verified:
            _print_verification(verified)
    return FAILED if verified and verified.failed else 0


@click.command()
@click.argument("directories", metavar="RUN...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", metavar="FILE", type=click.Path(path_type=Path), help="The HTML file to write.")
@click.option("--open", "open_it", is_flag=True, help="Open it in a browser.")
def gallery(directories: tuple[Path, ...], out: Path | None, open_it: bool) -> int:
    """Write one HTML file to browse the elites of runs.

    Several runs are laid side by side.

    \b
    Examples:
      fooling gallery runs/mine --open
      fooling gallery runs/mine runs/other --out both.html
    """
    from fooling.present.gallery import write_gallery
    from fooling.store.directory import RunDirectory
    from fooling.store.reading import open_run

    views = [open_run(directory) for directory in directories]
    if out is None:
        out = RunDirectory(views[0].directory).gallery if len(views) == 1 else Path("gallery.html")
    with naming_write_errors(out):
        write_gallery(views, out)
    say(out)
    if open_it:
        import webbrowser

        webbrowser.open(out.absolute().as_uri())
    return 0


@click.command()
@run_argument
@click.option(
    "--format",
    "kind",
    type=click.Choice(["png", "sheet", "npz", "json"]),
    default="sheet",
    show_default=True,
    help="One PNG per class, one contact sheet, the arrays, or the CPPN of each class.",
)
@click.option("--out", metavar="PATH", type=click.Path(path_type=Path), help="Where to write.")
@click.option(
    "--size",
    type=ImageSize(),
    help="Longer side of each PNG in pixels, or HxW. CPPN images are rendered anew at that size, direct ones "
    "enlarged by a whole factor.",
)
@click.option("--columns", type=click.IntRange(1, 200), help="Columns of the contact sheet.")
@click.option("--limit", type=click.IntRange(1), help="At most so many classes on the contact sheet.")
@click.option(
    "--sort",
    type=click.Choice(["class", "confidence"]),
    default="class",
    show_default=True,
    help="Order of the contact sheet.",
)
@force_option
def export(
    directory: Path,
    kind: str,
    out: Path | None,
    size: Size | None,
    columns: int | None,
    limit: int | None,
    sort: str,
    force: bool,
) -> int:
    """Export a run's elites as PNGs, contact sheet, arrays or CPPNs.

    \b
    Examples:
      fooling export runs/mine --limit 60 --sort confidence --out sheet.png
      fooling export runs/mine --format png --size 512 --out large
    """
    from fooling.present import export as exports
    from fooling.store.reading import open_run
    from fooling.store.snapshot import renderer

    view = open_run(directory)
    out = (
        out
        or view.directory
        / {"png": "export", "sheet": "sheet.png", "npz": "elites.npz", "json": "genotypes"}[kind]
    )
    with naming_write_errors(out):
        if kind == "png":
            exports.export_png(view, out, size=size, render=renderer(view), force=force)
        elif kind == "sheet":
            exports.export_sheet(view, out, columns=columns, limit=limit, sort=sort, force=force, warn=_warn)
        elif kind == "json":
            from fooling.present.genotype import export_genotypes

            export_genotypes(view, out, force=force)
        else:
            exports.export_npz(view, out, force=force)
    say(out)
    return 0


def _warn(line: str) -> None:
    tell(f"warning: {line}")


def print_table(view: Snapshot) -> None:
    """The elites on stdout, and where the gallery is."""
    from fooling.present.listing import Parts
    from fooling.present.table import headlines, table
    from fooling.store.directory import RunDirectory

    draw(*map(Parts, headlines(view)), table(view))
    places = RunDirectory(view.directory)
    if places.gallery.exists():
        say(f"gallery: {places.gallery}")
    else:
        say(f"run: {places.path}")


def _people(view: Snapshot) -> People | None:
    """What people saw in the images; an error in that file costs nothing else."""
    from fooling.studies.recognition.study import people_in

    try:
        return people_in(view)
    except FoolingError as error:
        _warn(str(error))
        return None


def _print_people(people: People | None, view: Snapshot) -> None:
    from fooling.present.recognition import sentences

    if people is not None:
        for line in sentences(people, view.spec.config.encoding.name):
            say(line)


def _print_verification(verified: Verification) -> None:
    """How many claims hold, and those that don't."""
    say(f"verified: {verified.hold:,} of {verified.claims:,} claims hold, within {verified.tolerance:g}")
    for claim in verified.failed:
        drawn = "" if claim.drawn else "; its genotype draws another image"
        say(f"class {claim.number} ({claim.label}): claimed {claim.claimed!r}, found {claim.found!r}{drawn}")
