"""`fooling lineage`: where an elite came from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from fooling.cli.look import run_argument
from fooling.cli.options import json_option, trust_option
from fooling.cli.terminal import draw, say, say_json
from fooling.errors import FoolingError, NotFoundError, did_you_mean


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
    from fooling.present.lineage import page
    from fooling.store.reading import lineage_of, open_run
    from fooling.studies.lineage.document import document
    from fooling.studies.lineage.replay import replay
    from fooling.studies.lineage.walk import ancestors
    from fooling.text import encoded

    view = open_run(directory)
    number = class_of(wanted, view.labels)
    if view.stored_rows[number] < 0:
        raise NotFoundError(f"{directory}: class {number} has no elite yet")
    generation, stream, child = view.ids[number].tolist()
    family = ancestors(lineage_of(view), (generation, stream, child))
    replayed = replay(view, family, trust=trust)
    data = document(view, number, replayed)
    out = out or view.directory / f"lineage-{number:04d}.html"
    try:
        with replacing(out) as file:
            file.write(encoded(page(data, replayed)))
    except OSError as error:
        raise FoolingError(f"can't write {out}: {error.strerror or error}") from None
    if as_json:
        say_json(data)
    else:
        _print(data, out)
    return 0


def class_of(wanted: str, labels: Sequence[str]) -> int:
    """The class of a number or a label, which may be any one of several synonyms.

    Raises:
        NotFoundError: there is none, or more than one.
    """
    if wanted.isdecimal():
        if int(wanted) < len(labels):
            return int(wanted)
        raise NotFoundError(f"no class {wanted}: expected 0 to {len(labels) - 1}, or a label")
    found = [index for index, label in enumerate(labels) if wanted in (label, *label.split(", "))]
    if len(found) == 1:
        return found[0]
    if found:
        raise NotFoundError(
            f"several classes are labelled {wanted}: give a number, {', '.join(map(str, found))}"
        )
    hint = did_you_mean(wanted, labels) or f"; expected 0 to {len(labels) - 1}, or a label"
    raise NotFoundError(f"no class is labelled {wanted}{hint}")


def _print(data: dict[str, Any], out: Path) -> None:
    """The line, without the mates."""
    from fooling.confidence import format_confidence
    from fooling.present.listing import listing

    line = listing()
    for heading in ("generation", "child"):
        line.add_column(heading, justify="right")
    line.add_column("elite of", max_width=22, no_wrap=True, overflow="ellipsis")
    line.add_column("confidence", justify="right", no_wrap=True)
    line.add_column("first answer", max_width=20, no_wrap=True, overflow="ellipsis")
    for ancestor in data["ancestors"]:
        if ancestor["line"]:
            held = ancestor["held"][0]
            row = (str(ancestor["generation"]), str(ancestor["child"]))
            first = "top-1" if ancestor["top1"] == held["class"] else f"called {ancestor['top1_label']}"
            line.add_row(*row, held["label"], format_confidence(held["confidence"]), first)
    count, way = len(data["ancestors"]), len(data["classes_on_the_way"]) - 1
    draw(
        line,
        f"{count:,} images, the elite included; its line changed class {way} times. In the whole run "
        f"{data['goal_switches']:,} of {data['replacements']:,} replacements were goal switches.",
    )
    say(out)
