"""A page about transfer among networks, from what `fooling transfer` wrote.

    fooling transfer RUN... --to SPEC,SPEC,... --out transfer --trust
    python -m docs.results.make.transfer_page NAME transfer

Writes docs/results/NAME.md, NAME.json and the heat map. A cell is one run's elites on one network; the medians and
tests take a run as the unit, since its images are relatives.
"""

from __future__ import annotations

import argparse
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from fooling.files import json_bytes
from fooling.model_specs import short
from fooling.present.markdown import table as markdown
from fooling.store.reading import open_run
from fooling.store.snapshot import Snapshot
from fooling.studies.rank_tests import in_words, mann_whitney

PLACE = Path(__file__).resolve().parents[1]
MARK = "<!-- below: written by docs.results.make.transfer_page -->"
SURE = 0.99


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("name")
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    data = json.loads((given.folder / "transfer.json").read_bytes())
    views = {source: open_run(Path(source)) for source in data["sources"]}
    names = {source: Path(source).name for source in data["sources"]}
    slim = {key: value for key, value in data.items() if key != "images"}
    slim["sources"] = list(names.values())
    slim["cells"] = [{**cell, "source": names[cell["source"]]} for cell in data["cells"]]
    (PLACE / f"{given.name}.json").write_bytes(json_bytes(slim))
    picture = Image.open(io.BytesIO((given.folder / "matrix.png").read_bytes())).convert("RGB")
    picture.save(PLACE / f"{given.name}.webp", "WEBP", lossless=True, method=6)
    page = PLACE / f"{given.name}.md"
    kept = page.read_text().partition(MARK)[0] if page.exists() else f"# {given.name}\n\n"
    page.write_text(f"{kept}{MARK}\n\n{body(data, views, names, given.name)}")
    print(page)


def body(data: dict[str, Any], views: dict[str, Snapshot], names: dict[str, str], name: str) -> str:
    """The written part of the page."""
    return f"""{markdown(("elites of", *(short(target) for target in data["targets"])), rows(data, names))}
Same top-1 and Wilson's 95 % interval; bold: at home.

![the same as a heat map]({name}.webp)

{markdown(("encoding", "elites", "same top-1 elsewhere, median of runs (range)", "same top-5"), encodings(data, views))}
{tests(data, views)}
"""


def rows(data: dict[str, Any], names: dict[str, str]) -> list[list[str]]:
    """The matrix."""
    found = {(cell["source"], cell["target"]): cell for cell in data["cells"]}
    return [
        [names[source], *(entry(found[source, target]) for target in data["targets"])]
        for source in data["sources"]
    ]


def entry(cell: dict[str, Any]) -> str:
    """A cell in words."""
    low, high = cell["same_top1_ci95"]
    text = f"{cell['same_top1']:.1%} ({low:.1%} to {high:.1%})"
    return f"**{text}**" if is_home(cell) else text


def is_home(cell: dict[str, Any]) -> bool:
    """Whether the run was evolved against that target."""
    return short(cell["source_model"]) == short(cell["target"])


def shares(
    data: dict[str, Any], views: dict[str, Snapshot], encoding: str, least: float, key: str
) -> list[float]:
    """A value a run: the share of its elites, of at least that confidence at home, that other networks name alike,
    in the mean over those networks."""
    values = []
    for source in data["sources"]:
        if views[source].spec.config.encoding.name != encoding:
            continue
        elsewhere = {
            cell["target"] for cell in data["cells"] if cell["source"] == source and not is_home(cell)
        }
        answers = [
            target["rank"] is not None and 0 <= target["rank"] < (1 if key == "top1" else 5)
            for image in data["images"]
            if image["source"] == source and image["confidence"] >= least
            for target in image["targets"]
            if target["target"] in elsewhere
        ]
        if answers:
            values.append(float(np.mean(answers)))
    return values


def encodings(data: dict[str, Any], views: dict[str, Snapshot]) -> list[list[str]]:
    """What of each encoding's elites is named alike elsewhere."""
    lines = []
    for encoding in ("cppn", "direct"):
        for least, which in ((0.0, "all"), (SURE, "at least 99 % sure at home")):
            top1, top5 = (shares(data, views, encoding, least, key) for key in ("top1", "top5"))
            if top1:
                lines.append([encoding, which, spread(top1), spread(top5)])
    return lines


def spread(values: list[float]) -> str:
    """The median and the range of runs."""
    return f"{np.median(values):.1%} ({min(values):.1%} to {max(values):.1%}, n = {len(values)} runs)"


def tests(data: dict[str, Any], views: dict[str, Snapshot]) -> str:
    """Encodings beside each other."""
    cppn, direct = (np.array(shares(data, views, encoding, 0.0, "top1")) for encoding in ("cppn", "direct"))
    return f"CPPN beside direct images, a value a run: {in_words(mann_whitney(cppn, direct))}."


if __name__ == "__main__":
    main()
