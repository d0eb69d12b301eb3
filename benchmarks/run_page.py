"""A page of results from finished runs: curves, groups, contact sheets.

    python -m benchmarks.run_page NAME RUN...

Writes docs/results/NAME.md, NAME.json and a contact sheet per run. The runs themselves are not kept: their
manifests, digests and statistics are.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

import fooling
from benchmarks.report import ROOT, markdown
from fooling.report.export import export_sheet
from fooling.runs.view import summary

PLACE = ROOT / "docs" / "results"
MARKS = (0, 10, 50, 100, 200, 500, 1000, 2000, 5000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("name")
    parser.add_argument("runs", nargs="+", type=Path)
    arguments = parser.parse_args()
    views = [fooling.open_run(path) for path in arguments.runs]
    parts, records = [], []
    for view in views:
        sheet = PLACE / f"{arguments.name}-{view.directory.name}.webp"
        export_sheet(view, sheet, force=True, limit=shown(view), sort="confidence", columns=10, zoom=1)
        parts.append(section(view, sheet.name))
        records.append(record(view))
    (PLACE / f"{arguments.name}.json").write_text(json.dumps(records, indent=1) + "\n")
    page = PLACE / f"{arguments.name}.md"
    kept = page.read_text().partition(MARK)[0] if page.exists() else f"# {arguments.name}\n\n"
    page.write_text(f"{kept}{MARK}\n\n" + "\n".join(parts))
    print(page)


MARK = "<!-- below: written by benchmarks.run_page -->"


def shown(view: fooling.RunView) -> int:
    """Elites on the contact sheet: noise needs few examples and compresses badly."""
    return 100 if view.settings.encoding.name == "cppn" else 20


def record(view: fooling.RunView) -> dict[str, Any]:
    """What is kept of a run."""
    whole = summary(view)
    del whole["elites"], whole["run"]
    manifest = {key: view.manifest[key] for key in ("classifier", "numerics", "versions", "created")}
    manifest["classifier"] = {"fingerprint": manifest["classifier"]["fingerprint"]}
    return {
        "name": view.directory.name,
        **whole,
        "manifest": manifest,
        "confidences": [float(value) for value in view.confidence],
        "curve": [entry for entry in view.curve if entry["generation"] in MARKS],
    }


def section(view: fooling.RunView, sheet: str) -> str:
    """A run's part of the page."""
    settings = view.settings
    return f"""## {settings.encoding.name} on {view.manifest["classifier"]["spec"]["name"]}

{view.evaluations:,} images in {view.seconds / 60:.0f} minutes of search; seed {settings.seed}; {view.directory.name}.
Archive `{view.archive.digest()[:16]}`.

{markdown(("generation", "images", "median", "mean", "classes at 0.99", "at 0.9999", "replaced in it"), _curve(view))}
{markdown(("group", "classes", "median", "at 0.99"), _groups(view))}
The {shown(view)} surest, surest first:

![the surest elites]({sheet})
"""


def _curve(view: fooling.RunView) -> list[list[str]]:
    last = view.curve[-1]["generation"]
    return [
        [
            str(entry["generation"]),
            f"{entry['evaluations']:,}",
            f"{entry['median']:.4f}",
            f"{entry['mean']:.4f}",
            str(entry["at_least_0.99"]),
            str(entry["at_least_0.9999"]),
            str(entry["replacements"]),
        ]
        for entry in view.curve
        if entry["generation"] in MARKS or entry["generation"] == last
    ]


def _groups(view: fooling.RunView) -> list[list[str]]:
    groups = {"all": list(range(len(view.labels))), **view.groups}
    rows = [(name, view.confidence[np.array(members)]) for name, members in groups.items()]
    rows.sort(key=lambda row: -float(np.median(row[1])))
    return [
        [name, str(len(c)), f"{np.median(c):.3f}", str(int((c >= np.float32(0.99)).sum()))]
        for name, c in rows
    ]


if __name__ == "__main__":
    main()
