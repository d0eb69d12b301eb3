"""Real images in every form that people have make the same audit. Folders that were read in the order of strings, 1, 10,
11, 2, would give every threshold and accuracy of other classes, and nothing would say so (pytorch/vision#714)."""

from __future__ import annotations

import csv
import gzip
import struct

import numpy as np
import pytest
from PIL import Image

from fooling.classifiers import samples
from fooling.classifiers.spec import Spec
from fooling.studies.audit.images import split

CLASSES, EACH, SIDE = 12, 3, 6
LABELS = tuple(f"kind {number}" for number in range(CLASSES))
IDS = tuple(f"n{10_000_000 + 7 * number:08d}" for number in reversed(range(CLASSES)))
SPEC = Spec(name="twelve", size=SIDE, colour="grey", labels=LABELS, wordnet=IDS)


def images():
    """(n, H, W, 1) uint8, all different, and their classes in turn."""
    classes = np.tile(np.arange(CLASSES), EACH)
    pixels = np.random.default_rng(0).integers(0, 256, (len(classes), SIDE, SIDE, 1), dtype=np.uint8)
    return pixels, classes


def folders(root, name):
    pixels, classes = images()
    for number, (image, kind) in enumerate(zip(pixels, classes.tolist(), strict=True)):
        folder = root / name(kind)
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[..., 0]).save(folder / f"{number}.png")
    return root


def table(root, column, value):
    pixels, classes = images()
    root.mkdir()
    with open(root / "images.csv", "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["file", column])
        for number, (image, kind) in enumerate(zip(pixels, classes.tolist(), strict=True)):
            Image.fromarray(image[..., 0]).save(root / f"{number}.png")
            rows.writerow([f"{number}.png", value(kind)])
    return root / "images.csv"


def idx(root):
    pixels, classes = images()
    root.mkdir()
    for what, array in (("images-idx3", pixels[..., 0]), ("labels-idx1", classes.astype(np.uint8))):
        head = struct.pack(f">I{array.ndim}I", 0x0800 + array.ndim, *array.shape)
        (root / f"t10k-{what}-ubyte.gz").write_bytes(gzip.compress(head + array.tobytes()))
    return root


def npz(root):
    pixels, classes = images()
    np.savez(root.with_suffix(".npz"), images=pixels, labels=classes)
    return root.with_suffix(".npz")


FORMS = {
    "folders by label": lambda root: folders(root, LABELS.__getitem__),
    "folders by index": lambda root: folders(root, str),
    "folders by WordNet id": lambda root: folders(root, IDS.__getitem__),
    "CSV by index": lambda root: table(root, "index", str),
    "CSV by label": lambda root: table(root, "label", LABELS.__getitem__),
    "CSV by WordNet id": lambda root: table(root, "wnid", IDS.__getitem__),
    "IDX": idx,
    "npz": npz,
}


@pytest.mark.parametrize("form", FORMS)
def test_every_image_has_its_own_class_in_the_audit(form, tmp_path):
    real = split(samples.read(FORMS[form](tmp_path / "samples"), SPEC), 0, 1000)
    pixels, classes = images()
    own = {image.tobytes(): kind for image, kind in zip(pixels, classes.tolist(), strict=True)}
    found = [
        (image.tobytes(), kind)
        for part in (real.fit, real.calibration, real.test)
        for image, kind in zip(part.pixels, part.classes.tolist(), strict=True)
    ]
    assert len(found) == CLASSES * EACH
    assert dict(found) == own
