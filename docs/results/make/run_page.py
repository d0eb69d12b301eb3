"""A page of results from finished runs: a table, curves, groups of classes, tests, contact sheets.

    python -m docs.results.make.run_page NAME RUN... [--sheets RUN...]

Writes docs/results/NAME.md, NAME.json, a figure and a contact sheet of each run named by --sheets. The runs
themselves are not kept: their manifests, digests and statistics are.
"""

from __future__ import annotations

import argparse
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import fooling
from fooling.confidence import format_confidence
from fooling.present.export import export_sheet
from fooling.present.markdown import table as markdown
from fooling.present.plots import TEXT, colour, panels_of, png
from fooling.reproduce.experiments.imagenet import at_least, by_class, pets, zoom
from fooling.reproduce.experiments.switching import switched
from fooling.store import manifest
from fooling.store.snapshot import Snapshot
from fooling.store.summary import summary
from fooling.studies.rank_tests import in_words, mann_whitney

PLACE = Path(__file__).resolve().parents[1]
MARK = "<!-- below: written by docs.results.make.run_page -->"
MARKS = (0, 10, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000)
LEVELS = (0.5, 0.9, 0.99, 0.9999)
NAMES = {"cppn": "CPPN", "direct": "direct"}
Setting = tuple[str, str]  # network, encoding


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("name")
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--sheets", nargs="*", type=Path, default=[])
    given = parser.parse_args()
    views = [fooling.open_run(path) for path in given.runs]
    wanted = {path.resolve() for path in given.sheets}
    sheets = [
        (view, f"{given.name}-{view.directory.name}.webp")
        for view in views
        if view.directory.resolve() in wanted
    ]
    for view, file in sheets:
        export_sheet(
            view, PLACE / file, force=True, limit=shown(view), sort="confidence", columns=10, zoom=zoom(view)
        )
    picture = Image.open(io.BytesIO(curves(views))).convert("RGB")
    picture.save(PLACE / f"{given.name}.webp", "WEBP", lossless=True, method=6)
    records = [record(view) for view in views]
    (PLACE / f"{given.name}.json").write_text(json.dumps(records, separators=(",", ":")) + "\n")
    page = PLACE / f"{given.name}.md"
    kept = page.read_text().partition(MARK)[0] if page.exists() else f"# {given.name}\n\n"
    page.write_text(f"{kept}{MARK}\n\n{body(views, given.name)}{pictures(sheets)}")
    print(page)


def body(views: Sequence[Snapshot], name: str) -> str:
    """The written part of the page."""
    return f"""## The runs

{table(views)}
Goal switches: the share of new elites with a parent that held other classes and not this one.

## How they went

Medians by generation; growth: the exponent of a power of the number of images, fitted over the last tenfold.

{progress(views)}
![median confidence by images, and the share of classes that reach a confidence]({name}.webp)

## By kind of thing

Median confidence of a group's classes (of each class, the median over the runs of a column).

{groups(views)}
{tests(views)}
"""


def settings_of(views: Sequence[Snapshot]) -> dict[Setting, list[Snapshot]]:
    """Runs that differ by their seed alone."""
    found: dict[Setting, list[Snapshot]] = {}
    for view in views:
        found.setdefault(setting(view), []).append(view)
    return found


def setting(view: Snapshot) -> Setting:
    """What a run was evolved against, and how."""
    return view.spec.classifier.spec.name, view.spec.config.encoding.name


def resumes(view: Snapshot) -> int:
    """How often the run was taken up again."""
    events = (view.directory / "events.jsonl").read_text().splitlines()
    return sum(json.loads(line)["event"] == "resume" for line in events)


def table(views: Sequence[Snapshot]) -> str:
    """A line a run."""
    head = ("run", "encoding", "images", "hours", "resumed", "median", "mean", "lowest", *(f"at {at:g}" for at in LEVELS), "goal switches", "archive")  # fmt: skip
    rows = [
        (
            view.directory.name,
            NAMES[view.spec.config.encoding.name],
            f"{view.evaluations:,}",
            f"{view.seconds / 3600:.2f}",
            str(resumes(view)),
            figure(float(np.median(view.confidence))),
            figure(float(view.confidence.mean())),
            figure(float(view.confidence.min())),
            *(str(at_least(view, level)) for level in LEVELS),
            f"{switched(view):.1%}",
            f"`{view.archive.digest()[:16]}`",
        )
        for view in views
    ]
    return markdown(head, rows)


def figure(value: float) -> str:
    """A confidence in a table."""
    return f"{value:.3f}" if value >= 0.01 else f"{value:.1g}"


def progress(views: Sequence[Snapshot]) -> str:
    """Medians as the runs went on: a column a setting, the median of its runs."""
    found = settings_of(views)
    rows = []
    for mark in MARKS:
        cells = []
        for runs in found.values():
            values = [e["median"] for view in runs for e in view.curve if e["generation"] == mark]
            cells.append(figure(float(np.median(values))) if len(values) == len(runs) else "")
        if any(cells):
            rows.append((f"{mark:,}", *cells))
    rows.append(("growth", *(f"{growth(runs):.2f}" for runs in found.values())))
    return markdown(("generation", *(heading(key) for key in found)), rows)


def growth(runs: Sequence[Snapshot]) -> float:
    """The b of median = a images^b, over the last tenfold of images."""
    points = [(e["evaluations"], e["median"]) for view in runs for e in view.curve]
    last = max(images for images, _ in points)
    images, medians = zip(*(point for point in points if point[0] >= last / 10), strict=True)
    return float(np.polyfit(np.log(images), np.log(medians), 1)[0])


def heading(key: Setting) -> str:
    """A setting in a few words."""
    return f"{key[0]}, {NAMES[key[1]]}"


def groups(views: Sequence[Snapshot]) -> str:
    """A line a group of classes, the easiest for the first setting first."""
    found = settings_of(views)
    columns = [by_class(runs) for runs in found.values()]
    members = {"all": list(range(len(views[0].labels))), **views[0].groups}
    medians = {name: [float(np.median(column[chosen])) for column in columns] for name, chosen in members.items()}  # fmt: skip
    rows = [
        (name.replace("_", ", "), str(len(members[name])), *map(figure, values))
        for name, values in sorted(medians.items(), key=lambda item: -item[1][0])
    ]
    return markdown(("group", "classes", *(heading(key) for key in found)), rows)


def tests(views: Sequence[Snapshot]) -> str:
    """The paper's two comparisons: of dogs and cats with the rest, of encodings."""
    found = settings_of(views)
    values = {key: by_class(runs) for key, runs in found.items()}
    lines = []
    for key, column in values.items():
        band = pets(found[key][0].labels, found[key][0].spec.classifier.spec.wordnet)
        if band is not None:
            pair = f"{format_confidence(float(np.median(column[band])))} beside {format_confidence(float(np.median(column[~band])))}"
            lines.append(
                f"- {heading(key)}: dogs and domestic cats beside the other classes, medians {pair}; "
                f"{in_words(mann_whitney(column[band], column[~band]))} classes."
            )
    for network in dict.fromkeys(key[0] for key in values):
        cppn, direct = values.get((network, "cppn")), values.get((network, "direct"))
        if cppn is not None and direct is not None:
            lines.append(f"- {network}: CPPN beside direct images; {in_words(mann_whitney(cppn, direct))} classes.")  # fmt: skip
    return "\n".join(lines) + "\n"


def curves(views: Sequence[Snapshot]) -> bytes:
    """On the left the median by images (a line a run), on the right how many classes reach what."""
    found = settings_of(views)
    networks = list(dict.fromkeys(key[0] for key in found))
    panel, (left, right) = panels_of(1, 2, 12, 4.4)
    for key, runs in found.items():
        style = {"color": colour(networks.index(key[0])), "ls": "-" if key[1] == "cppn" else "--", "lw": 1.4}
        for number, view in enumerate(runs):
            told = {"label": heading(key)} if number == 0 else {}
            points = [(e["evaluations"], e["median"]) for e in view.curve if e["median"] > 0]
            left.plot(*zip(*points, strict=True), **style, **told)
            right.plot(np.arange(1, len(view.confidence) + 1), np.sort(view.confidence)[::-1], **style)
    left.set_xscale("log")
    left.set_yscale("log")
    left.yaxis.set_major_formatter(lambda value, _: f"{value:.10g}")
    left.set_xlabel("images", fontsize=TEXT)
    left.set_ylabel("median confidence of the classes", fontsize=TEXT)
    right.set_xlabel("classes, the surest first", fontsize=TEXT)
    right.set_ylabel("confidence", fontsize=TEXT)
    left.legend(fontsize=TEXT - 2, frameon=False)
    return png(panel)


def shown(view: Snapshot) -> int:
    """Elites on the contact sheet: noise needs few examples, and like large images compresses badly."""
    if view.spec.config.encoding.name == "direct":
        return 20
    return 100 if view.stored_pixels.shape[1] <= 128 else 40


def pictures(sheets: Sequence[tuple[Snapshot, str]]) -> str:
    """The contact sheets."""
    parts = [
        f"\n## {heading(setting(view))}: the {shown(view)} surest of {view.directory.name}\n\n"
        f"![the surest elites]({file})\n"
        for view, file in sheets
    ]
    return "".join(parts)


def record(view: Snapshot) -> dict[str, Any]:
    """What is kept of a run: the manifest but for the lists of labels, the digest, the statistics."""
    whole = summary(view).document()
    del whole["elites"], whole["run"]
    spec = manifest.document(view.spec)
    kept = {key: spec[key] for key in ("classifier", "numerics", "versions", "created")}
    kept["classifier"] = {"fingerprint": kept["classifier"]["fingerprint"]}
    return {
        "name": view.directory.name,
        "network": view.spec.classifier.spec.name,
        **whole,
        "resumes": resumes(view),
        "manifest": kept,
        "confidences": [float(f"{value:.9g}") for value in view.confidence],
        "curve": [
            {key: value for key, value in entry.items() if key != "gains"}
            for entry in view.curve
            if entry["generation"] in MARKS or entry is view.curve[-1]
        ],
    }


if __name__ == "__main__":
    main()
