"""Are the cells of the transfer matrix what a plain script finds?

    python -m benchmarks.plain_transfer reproduction

Ten cells of `fooling reproduce transfer-across`, with Pillow, safetensors and torch alone: the PNGs of a run's elites
are read, divided by 255 and passed through the bare module; the share whose largest output is the elite's class must
be the same number, and the softmax the same confidence within 1e-6.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import nn

from fooling.classifiers.architectures import ARCHITECTURES
from fooling.classifiers.sources.builtin import FOLDER

CELLS = 10
TOLERANCE = 1e-6


def plain(run: Path, network: str) -> tuple[list[bool], list[float]]:
    """Of each elite of a run: whether the network's top-1 is its class, and the confidence of that class."""
    files = sorted((run / "elites").glob("[0-9]*.png"))
    classes = torch.tensor([int(file.stem) for file in files])
    pixels = np.stack([np.asarray(Image.open(file)) for file in files])[:, None]
    with torch.inference_mode():
        answers = module(network)(torch.from_numpy(pixels).float() / 255).softmax(1)
    same = (answers.argmax(1) == classes).tolist()
    return same, answers[torch.arange(len(classes)), classes].tolist()


def module(network: str) -> nn.Module:
    """A shipped network as a bare module."""
    name = network.removeprefix("builtin:")
    description = json.loads((FOLDER / f"{name}.json").read_text())
    made = ARCHITECTURES[description["network"]["architecture"]].construct(10)
    made.load_state_dict(load_file(FOLDER / description["network"]["weights"]))
    return made.eval()


def chosen(results: Path) -> list[tuple[str, dict[str, Any]]]:
    """Ten answers, spread over encodings, sources, targets and seeds."""
    numbers = json.loads(results.read_bytes())["result"]["numbers"]
    every = [(encoding, one) for encoding, found in numbers.items() for one in found]
    order = np.random.Generator(np.random.Philox(7)).permutation(len(every))
    return [every[row] for row in order[:CELLS]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    for encoding, one in chosen(folder / "results" / "transfer-across.json"):
        source = one["source"].removeprefix("builtin:")
        (run,) = (folder / "runs").glob(f"mnist-{encoding}-{source}-g*-s{one['seed']}")
        same, confidence = plain(run, one["target"])
        gap = float(np.abs(np.subtract(confidence, one["confidence"])).max())
        equal = same == one["same"] and gap <= TOLERANCE
        print(
            f"{run.name} to {one['target']}: {sum(one['same'])} of {len(same)}, plainly {sum(same)}; "
            f"confidences differ by {gap:.1e} at most: {'equal' if equal else 'NOT EQUAL'}"
        )
        if not equal:
            raise SystemExit(1)


if __name__ == "__main__":
    main()
