"""Seeded damage to a run directory: one change of one part of it, with the digest of a checkpoint made right again."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from fooling.store import checkpoint
from tests.fooling.runs.foreign import edit_array, edit_checkpoint, edit_manifest


def _deep(depth: int = 300) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


NASTY: tuple[Any, ...] = (
    None, True, -1, 0, 1, 7, 2**31, 2**62, 2**63, -(2**63), 0.5, 1.5, -0.0, 1e308, float("nan"), float("inf"),
    "", "x", "a\nb", "\u202e[/b]\x1b[31m\x07", "\ud800", "9" * 1000, "../../x", "python:os:getcwd",
    [], [1], ["x"], [[1, 2]], {}, {"a": 1}, {"name": "x"}, _deep(), "label " * 5000,
)  # fmt: skip
NUMBERS = (-(2**31), -2, -1, 0, 1, 2, 9, 10, 11, 255, 1000, 2**30, 2**31 - 1)
FLOATS = (-1.0, -0.0, 0.5, 1.0, 1.0001, 7.0, 1e30, float("nan"), float("inf"), -float("inf"))
CELLS = ("confidence", "cell", "ids", "top1", "top1_confidence")


def alter(tree: Any, rng: random.Random) -> None:
    """Change, remove, add or rename one value somewhere in JSON-like data."""
    node = tree
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not keys:
            break
        key = rng.choice(keys)
        inner = isinstance(node[key], dict | list) and len(node[key]) > 0
        if inner and rng.random() < 0.85:
            node = node[key]
            continue
        how = rng.choice(("put", "put", "put", "remove", "rename"))
        if how == "put":
            node[key] = rng.choice(NASTY)
        elif how == "remove":
            del node[key]
        elif isinstance(node, dict):
            node[f"{key}x"] = node.pop(key)
        else:
            node.append(node[key])
        return


def manifest(run: Path, rng: random.Random) -> None:
    if rng.random() < 0.9:
        edit_manifest(run, lambda tree: alter(tree, rng))
        return
    text = (run / "manifest.json").read_bytes()
    where = rng.randrange(len(text))
    damaged = (text[:where], text[:where] + b"[" * 100_000, text[:where] + b"\xff" + text[where:], b"")
    (run / "manifest.json").write_bytes(rng.choice(damaged))


def header(run: Path, rng: random.Random) -> None:
    edit_checkpoint(run, lambda tree, _: alter(tree, rng))


def body(run: Path, rng: random.Random) -> None:
    def scatter(_: Any, content: bytearray) -> None:
        if rng.random() < 0.2:
            del content[rng.randrange(len(content)) :]
        for _ in range(rng.choice((1, 8, 200))):
            if content:
                content[rng.randrange(len(content))] = rng.randrange(256)

    edit_checkpoint(run, scatter)


def _put(run: Path, names: tuple[str, ...], rng: random.Random) -> None:
    def change(array: np.ndarray) -> None:
        flat = array.reshape(-1)
        values = FLOATS if array.dtype.kind == "f" else NUMBERS
        for _ in range(rng.choice((1, 1, 3, flat.size))):
            value = rng.choice(values)
            flat[rng.randrange(flat.size)] = value % 256 if array.dtype == np.uint8 else value

    edit_array(run, rng.choice(names), change)


def cells(run: Path, rng: random.Random) -> None:
    _put(run, CELLS, rng)


def genotypes(run: Path, rng: random.Random) -> None:
    names = ("outputs", "node_offsets", "edge_offsets", "activations", "sources", "targets", "weights")
    _put(run, tuple(f"genotypes.{name}" for name in names), rng)


def search(run: Path, rng: random.Random) -> None:
    """The search's own arrays; where it has none, those of direct genotypes."""
    names = (
        "classes",
        "escaped",
        "stuck",
        "passes",
        "first",
        "best_step",
        "best_confidence",
        "images",
        "moments",
    )
    newest = checkpoint.saved(run / "checkpoints")[0]
    there = tuple(f"search.{name}" for name in names if f"search.{name}" in checkpoint.load(newest).arrays)
    _put(run, there or ("genotypes.genes",), rng)


def log(run: Path, rng: random.Random) -> None:
    path = run / "events.jsonl"
    lines = path.read_bytes().splitlines()
    which, how = (
        rng.randrange(len(lines)),
        rng.choice(("alter", "alter", "alter", "raw", "cut", "swap", "empty")),
    )
    if how == "alter":
        tree = json.loads(lines[which])
        alter(tree, rng)
        lines[which] = json.dumps(tree).encode()
    elif how == "raw":
        lines[which] = rng.choice((b"[]", b"3", b"}", b"\xff\xfe", b"null", b"[" * 10_000, b""))
    elif how == "cut":
        del lines[which:]
    elif how == "swap":
        lines[which], lines[0] = lines[0], lines[which]
    path.write_bytes(b"" if how == "empty" else b"\n".join(lines) + b"\n")


def lineage(run: Path, rng: random.Random) -> None:
    path = run / "lineage"
    table = np.frombuffer(path.read_bytes(), "<i4").reshape(-1, 11).copy()
    how = rng.choice(("put", "put", "put", "swap", "cut", "gone"))
    if how == "put":
        table[rng.randrange(len(table)), rng.randrange(11)] = rng.choice(NUMBERS)
    elif how == "swap":
        a, b = rng.randrange(len(table)), rng.randrange(len(table))
        table[[a, b]] = table[[b, a]]
    path.write_bytes(table.tobytes())
    if how == "cut":
        os.truncate(path, rng.randrange(table.nbytes))
    elif how == "gone":
        path.unlink()


PARTS: tuple[Callable[[Path, random.Random], None], ...] = (
    manifest,
    header,
    body,
    cells,
    genotypes,
    log,
    lineage,
)
