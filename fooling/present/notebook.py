"""How runs, elites and the results of studies look in a notebook: one small card each, of facts, images and a figure.

Every text on a card is escaped: labels, names of models and paths may come from strangers.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from jinja2 import Environment, PackageLoader, Template
from numpy.typing import NDArray
from PIL import Image

from fooling.confidence import format_confidence
from fooling.drawn import drawing
from fooling.model_specs import short
from fooling.present.facts import cost_line, facts, summary_line, top1_line
from fooling.runs.handle import RunHandle
from fooling.store.elites import SMALL, encode
from fooling.store.snapshot import Elite, Snapshot, name_of
from fooling.studies.compare.result import Result as Comparison
from fooling.studies.lineage.result import Result as Lineage
from fooling.studies.protocol import Failure
from fooling.studies.transfer.result import Result as Transfer
from fooling.text import plain

SHOWN = 20  # elites on the card of a run
_THUMBNAIL, _LARGE = 92, 280  # pixels of the page
_LABEL = 40  # characters of a label beneath a thumbnail


@dataclass(frozen=True)
class Picture:
    """An image on a card.

    Attributes:
        data: the PNG in base64.
        width: in pixels of the page.
        pixelated: whether it is drawn larger than it is.
        caption: the lines beneath it.
    """

    data: str
    width: int
    pixelated: bool
    caption: tuple[str, ...]


def card(
    title: str,
    lines: Sequence[str] = (),
    rows: Sequence[Sequence[str]] = (),
    head: Sequence[str] = (),
    pictures: Sequence[Picture] = (),
    figure: bytes | None = None,
) -> str:
    """A card as HTML.

    Args:
        title: its first line.
        lines: the lines after that.
        rows: of its table, the texts of each cell.
        head: the names of the table's columns, if they have any.
        pictures: images beside each other.
        figure: a PNG beneath all else.
    """
    data = base64.b64encode(figure).decode("ascii") if figure else ""
    return _template().render(title=title, lines=lines, rows=rows, head=head, pictures=pictures, figure=data)


@drawing(Snapshot)
def run_card(run: Snapshot) -> str:
    """The facts of a run, its surest elites and its curve."""
    held = np.flatnonzero(run.occupied)
    surest = held[np.argsort(-run.confidence[held], kind="stable")][:SHOWN].tolist()
    lines = [cost_line(run), summary_line(run)]
    if surest:
        lines.append(top1_line(run))
    if len(surest) < len(held):
        lines.append(f"The {len(surest)} surest of {len(held):,} elites are shown.")
    pictures = [_thumbnail(run.elite(number)) for number in surest]
    return card(
        name_of(run.directory),
        lines,
        facts(run),
        pictures=pictures,
        figure=chart(run) if len(run.curve) > 1 else None,
    )


@drawing(Elite)
def elite_card(elite: Elite) -> str:
    """An elite, enlarged, and what the classifier says of it."""
    lines = [f"confidence {format_confidence(elite.confidence)}, found in generation {elite.generation:,}"]
    if elite.top1_label is not None and elite.top1 != elite.number:
        lines.append(f"called {elite.top1_label} first, {format_confidence(elite.top1_confidence)}")
    picture = _picture(elite.pixels, _LARGE)
    return card(f"class {elite.number}: {elite.label}", lines, pictures=[picture])


@drawing(RunHandle)
def handle_card(handle: RunHandle) -> str:
    """How a run stands that is computed in a thread."""
    lines = [str(handle.directory)] if handle.directory else ["loading the classifier"]
    if (record := handle.latest) is not None:
        lines.append(
            f"generation {record['generation']:,}, {record['evaluations']:,} evaluations, "
            f"median {format_confidence(record['median'])}"
        )
    if handle.status == "running":
        lines.append(
            "snapshot() shows it as it is, stop() ends it after a checkpoint, result() waits for its end"
        )
    elif handle.error is not None:
        lines.append(str(handle.error))
    return card(handle.status, lines)


@drawing(Transfer)
def transfer_card(result: Transfer) -> str:
    """A row for each run and each classifier, and the matrix."""
    from fooling.present.transfer.figures import matrix
    from fooling.present.transfer.table import figures

    names = result.names
    rows = [
        (names[cell.source], short(cell.target), f"{cell.images:,}", *figures(cell)) for cell in result.cells
    ]
    head = ("elites of", "shown to", "images", "same top-1 (95 %)", "top-5", "median")
    return card("transfer", _left_out(result.failures), rows, head, figure=matrix(result))


@drawing(Comparison)
def comparison_card(result: Comparison) -> str:
    """A row for each run, and how the confidences rose."""
    from fooling.present.compare.figures import confidence
    from fooling.present.plots import png

    rows = [
        (run.name, run.group, f"{run.passes:,.0f}", format_confidence(run.median_at_common_passes),
         format_confidence(run.confidence.median), f"{run.confidence.at_least_9999:,}")
        for run in result.runs
    ]  # fmt: skip
    head = (
        "run",
        "group",
        "passes",
        f"median at {result.common_passes:,.0f}",
        "median at its end",
        "at 99.99 %",
    )
    return card(
        "comparison", _left_out(result.failures), rows, head, figure=png(confidence(result.comparison))
    )


@drawing(Lineage)
def lineage_card(result: Lineage) -> str:
    """The last images on the line of parents; the elite itself is the last of them."""
    line = [
        (member, pixels)
        for member, pixels in zip(result.ancestors, result.pixels, strict=True)
        if member.line
    ]
    shown = line[-SHOWN:]
    pictures = [
        _picture(pixels, _THUMBNAIL, f"generation {member.generation:,}", _cut(member.top1_label))
        for member, pixels in shown
    ]
    lines = [
        f"{len(result.ancestors):,} images; the last {len(shown)} of {len(line):,} on the line of parents are shown"
    ]
    return card(f"the ancestors of {result.label}", lines, pictures=pictures)


def chart(run: Snapshot) -> bytes:
    """The curve of a run as a PNG; see `fooling.present.curve`."""
    from fooling.present.curve import figure
    from fooling.present.plots import png

    return png(figure(run))


def _left_out(failures: Sequence[Failure]) -> list[str]:
    return [f"left out: {failure.what}: {failure.reason}" for failure in failures]


def _thumbnail(elite: Elite) -> Picture:
    return _picture(elite.pixels, _THUMBNAIL, _cut(elite.label), format_confidence(elite.confidence))


def _cut(label: str) -> str:
    return label if len(label) <= _LABEL else f"{label[: _LABEL - 1]}…"


def _picture(pixels: NDArray[np.uint8], width: int, *caption: str) -> Picture:
    """An image, (H, W, C) uint8. Of one that is much larger than its place on the page, a smaller copy: twenty large
    images would make a notebook of many megabytes."""
    if pixels.shape[1] > 2 * width:
        small = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
        small.thumbnail((2 * width, 2 * width * pixels.shape[0] // pixels.shape[1] + 1))
        pixels = np.asarray(small).reshape(small.height, small.width, pixels.shape[2])
    data = base64.b64encode(encode(np.ascontiguousarray(pixels), level=SMALL)).decode("ascii")
    return Picture(data, width, pixels.shape[1] < width, caption)


@cache
def _template() -> Template:
    environment = Environment(loader=PackageLoader("fooling.present"), autoescape=True, trim_blocks=True)
    environment.filters["plain"] = plain
    return environment.get_template("card.html.j2")
