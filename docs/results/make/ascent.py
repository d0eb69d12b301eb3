"""How sure do networks get by gradient ascent, and what do regularisers show?

    python -m docs.results.make.ascent [--quick] [--seed 0]

The MNIST configs on every LeNet there is; the four settings of the paper's supplement on two ImageNet networks of
the assets, its 20 classes from 5 starts each, with the constants of the ready-made configs and with the authors'.
Writes docs/results/ascent.md, ascent.json and the pictures beside them; --quick, which takes a few steps only, prints
the page instead.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import fooling
from benchmarks.report import assets, machine
from benchmarks.zoo import authors_lenet, network
from fooling import classifiers
from fooling.classifiers import Classifier
from fooling.files import json_bytes
from fooling.present.grid import image_grid
from fooling.present.markdown import table as markdown
from fooling.search.ascent.records import MILESTONES, Records
from fooling.store.directory import RunDirectory
from fooling.store.reading import newest_checkpoint

PLACE = Path(__file__).resolve().parents[1]
CLASSES = (200, 207, 215, 279, 366, 367, 390, 414, 445, 500, 509, 580, 643, 657, 704, 713, 782, 805, 826, 906)
NETWORKS = ("mobilenet_v1_025_128", "mcunet_5fps_128")
SETTINGS = {
    "none": "imagenet-ascent",
    "L2": "imagenet-ascent-l2",
    "L2, blur": "imagenet-ascent-blur",
    "L2, blur, clipping": "imagenet-ascent-clip",
}
# The regularisers' constants of the released code (hyper-parameter seeds 169, 188, 360), over the configs.
_THEIRS = {"search.objective": "probability", "search.rule": "progress", "search.early": 0.03}
AUTHORS: dict[str, dict[str, Any]] = {
    "none": {"search.late": 0.1},
    "L2": {**_THEIRS, "search.late": 0.02, "search.decay": 0.01},
    "L2, blur": {**_THEIRS, "search.late": 0.05, "search.blur_radius": 0.4, "search.blur_every": 2},
    "L2, blur, clipping": {**_THEIRS, "search.late": 0.05, "search.blur_radius": 0.3},
}
COARSE = 1 / 8  # cycles per pixel: structures of eight pixels and more
LARGEST_FILE = 390_000


class Climbed(NamedTuple):
    """A finished run: what is kept of it, and its climbs' best images, (climbs, H, W, C) uint8."""

    record: dict[str, Any]
    pixels: NDArray[np.uint8]


def climb(config: str, classifier: Classifier, flags: Mapping[str, Any]) -> Climbed:
    """One run."""
    with tempfile.TemporaryDirectory() as folder:
        run = fooling.run(config, out=Path(folder) / "run", flags=flags, classifier=classifier)
        found = newest_checkpoint(RunDirectory(run.directory), [])[0]
        assert found is not None
        records = Records.from_arrays(found.part("search"))
    statistics = records.statistics()
    reached = records.first[:, -1][records.first[:, -1] >= 0]
    record = {
        "config": config,
        "search": run.spec.config.search.model_dump(mode="json"),
        "seed": run.spec.config.seed,
        "fingerprint": classifier.fingerprint,
        "archive_sha256": run.archive.digest(),
        "seconds": run.seconds,
        "passes": run.curve[-1]["passes"],
        "stuck": run.curve[-1]["climbs_stuck"],
        "classes": int((run.confidence >= np.float32(0.9999)).sum()),
        "lowest_elite": float(np.nanmin(run.confidence)),
        "climbs": statistics["climbs"],
        "shares": [statistics[f"climbs_{name}"] / statistics["climbs"] for name in MILESTONES],
        "median_best": float(np.median(records.best_confidence)),
        "median_step": float(np.median(reached)) if len(reached) else None,
        "coarse": coarse(records.best_pixels),
        "contrast": float(records.best_pixels.std(axis=(1, 2, 3)).mean() / 255),
    }
    return Climbed(record, records.best_pixels)


def networks() -> dict[str, Classifier]:
    """The LeNets that ship, and the authors' own where the assets are."""
    found = {spec: classifiers.load(spec) for spec in classifiers.known() if spec.startswith("builtin:lenet")}
    return {**found, "the authors' LeNet": authors_lenet()} if assets() else found


def coarse(pixels: NDArray[np.uint8]) -> float:
    """The share of the images' variance in structures of eight pixels and more: below COARSE in the spectrum."""
    values = pixels.astype(np.float64)
    power = np.abs(np.fft.fft2(values - values.mean(axis=(1, 2), keepdims=True), axes=(1, 2))) ** 2
    rows, columns = (np.fft.fftfreq(side)[:, None] for side in pixels.shape[1:3])
    low = np.hypot(rows, columns.T) < COARSE
    return float((power[:, low].sum((1, 2)) / power.sum((1, 2, 3))).mean())


def mnist(flags: Mapping[str, Any]) -> tuple[dict[str, Any], list[NDArray[np.uint8]]]:
    """Both configs on all LeNets; and the first start's images of each."""
    found, rows = {}, []
    for name, classifier in networks().items():
        for config in ("mnist-ascent", "mnist-ascent-l2"):
            climbed = climb(config, classifier, flags)
            found[f"`{config}` on {name if chr(39) in name else f'`{name}`'}"] = climbed.record
            rows.append(climbed.pixels[:: climbed.record["search"]["starts"]])
    return found, rows


def imagenet(name: str, flags: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, NDArray[np.uint8]]]:
    """The four settings on a network, with our constants and the authors'; and the images of the former."""
    classifier = network(name)
    shared = {"search.classes": list(CLASSES), "search.starts": 5, **flags}
    found, images = {}, {}
    for title, config in SETTINGS.items():
        climbed = climb(config, classifier, shared)
        found[title], images[title] = climbed.record, climbed.pixels
        print(name, title, climbed.record["shares"], flush=True)
    for title, constants in AUTHORS.items():
        found[f"{title}; the authors' constants"] = climb(
            SETTINGS[title], classifier, {**shared, **constants}
        ).record
    return found, images


HEAD = ("run", "classes at 0.9999", "climbs top-1", "at 0.99", "at 0.999", "at 0.9999", "median best confidence",
        "median step to 0.9999", "variance in structures of 8 pixels and more", "contrast", "seconds")  # fmt: skip


def row(name: str, record: Mapping[str, Any], classes: int) -> list[str]:
    """A line of the table."""
    step = record["median_step"]
    return [
        name,
        f"{record['classes']} of {classes}",
        *(f"{100 * share:.0f} %" for share in record["shares"]),
        f"{record['median_best']:.6f}",
        "-" if step is None else f"{step:.0f}",
        f"{100 * record['coarse']:.0f} %",
        f"{record['contrast']:.3f}",
        f"{record['seconds']:.0f}",
    ]


def table(records: Mapping[str, Mapping[str, Any]], classes: int) -> str:
    """All runs on a network, or of MNIST."""
    return markdown(HEAD, [row(name, record, classes) for name, record in records.items()])


def tiles(
    rows: Sequence[Iterable[NDArray[np.uint8]]], names: Sequence[str], titles: Sequence[str], side: int
) -> Image.Image:
    """A page of images, scaled to `side`, with a name before each row and a title over each column."""
    images = [scaled(pixels, side) for row in rows for pixels in row]
    short = [title[: side // 7] for title in titles]
    return image_grid(images, columns=len(titles), heads=names, titles=short, side=side, gap=2)


def scaled(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """(H, W, C) uint8 to (side, side, C); larger images are averaged, smaller ones keep square pixels."""
    smaller = Image.Resampling.BOX if side < pixels.shape[1] else Image.Resampling.NEAREST
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    return np.asarray(image.resize((side, side), smaller)).reshape(side, side, -1)


def write(page: Image.Image, path: Path) -> None:
    """As WebP, as good as the size of a file in a repository allows."""
    for quality in range(90, 0, -5):
        page.save(path, quality=quality, method=6)
        if path.stat().st_size <= LARGEST_FILE:
            return


def pictures(name: str, images: Mapping[str, NDArray[np.uint8]], labels: Sequence[str]) -> None:
    """Of a network: ten classes at their own size from one start, and all classes from all starts, smaller."""
    heads = [labels[number] for number in CLASSES]
    firsts = [pixels[::5][:10] for pixels in images.values()]
    write(tiles(firsts, list(images), heads[:10], 128), PLACE / f"ascent-{name}.webp")
    rows = [pixels[start::5] for pixels in images.values() for start in range(5)]
    names = [f"{title}" if start == 0 else "" for title in images for start in range(5)]
    write(tiles(rows, names, heads, 56), PLACE / f"ascent-{name}-all.webp")


def page(result: Mapping[str, Any]) -> str:
    """The page of results, from what the JSON holds."""
    parts = [INTRODUCTION, f"On {result['machine']['device']}, shared with other work.\n"]
    parts += ["## MNIST\n", table(result["MNIST"], 10), MNIST_WORDS]
    for name in NETWORKS:
        if name in result:
            parts += [f"## {name}\n", table(result[name], len(CLASSES)), IMAGES.format(name=name)]
    return "\n".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few steps; prints the page")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    flags = {"seed": given.seed, **({"search.steps": 5} if given.quick else {})}
    result: dict[str, Any] = {"machine": machine()}
    result["MNIST"], rows = mnist(flags)
    if not given.quick:
        names = [short(name) for name in result["MNIST"]]
        tiles(rows, names, list("0123456789"), 56).save(PLACE / "ascent-mnist.png", optimize=True)
    for name in NETWORKS if assets() else ():
        result[name], images = imagenet(name, flags)
        if not given.quick:
            pictures(name, images, network(name).labels)
    if given.quick:
        print(page(result))
        return
    (PLACE / "ascent.json").write_bytes(json_bytes(result))
    (PLACE / "ascent.md").write_text(page(result))


def short(name: str) -> str:
    """A run of MNIST, as short as a picture's margin asks for."""
    config, _, model = name.replace("`", "").partition(" on ")
    return f"{model.removeprefix('builtin:')}{', L2' if config.endswith('l2') else ''}"


INTRODUCTION = """# Gradient ascent

Written by `python -m docs.results.make.ascent`; every run's numbers are in [ascent.json](ascent.json).
What the settings mean is told in [gradient ascent](../ascent.md). A share is one of climbs, each class from each
start; all within 500 steps and of 8-bit images.

What one sees:

- **Without a regulariser** the gradient makes LeNets sure of every digit from every start, and ImageNet networks of
  nearly every class, with noise of a few grey levels: the most certain images show the least.
- **L2** leaves less noise for more contrast: on MNIST strokes of the digits, on ImageNet networks patches where the
  evidence gathers. **Blur** is what brings large structures: faces of the dogs, the outline and the pocket of the
  backpack, missiles and their fire. **The clippings** leave them alone on grey. The column of variance in structures
  of eight pixels and more says the same in numbers; confidences fall on the same way.
- **The authors' constants** (here for 500 steps; the regularised settings had 1,000 and 1,500) hold these networks far
  below certainty, for the reason that [gradient ascent](../ascent.md) gives.
"""

MNIST_WORDS = """
![a row for each line of the table, the first start of each digit](ascent-mnist.png)
"""

IMAGES = """
The first start of ten classes, with the configs' constants:

![one start of ten classes](ascent-{name}.webp)

All 20 classes from all 5 starts, made smaller:

![all climbs](ascent-{name}-all.webp)
"""

if __name__ == "__main__":
    main()
