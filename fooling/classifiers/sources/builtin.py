"""`builtin:NAME`: the networks that come with the package, each a file spec with its weights beside it.

How they were trained, and what they are known to say, stands in their JSON (`fooling.training`).
"""

from __future__ import annotations

from pathlib import Path

from fooling.classifiers.classifier import Classifier
from fooling.classifiers.numerics import Numerics
from fooling.classifiers.sources.file import open_file
from fooling.errors import InvalidError, did_you_mean

FOLDER = Path(__file__).parents[1] / "weights"
NAMES = ("lenet", "lenet-b", "mlp", "resnet-mini", "vit-mini")


def open_builtin(name: str, numerics: Numerics, trust: bool) -> Classifier:
    """The built-in network of that name.

    Raises:
        InvalidError: there is none; the line lists those there are. Or its files were altered.
    """
    if name not in NAMES:
        raise InvalidError(
            f"unknown model builtin:{name}: expected one of builtin:{', builtin:'.join(NAMES)}"
            f"{did_you_mean(name, NAMES)}"
        )
    return open_file(str(FOLDER / f"{name}.json"), numerics, trust)
