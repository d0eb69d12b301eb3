"""`builtin:NAME`: the networks that come with the package, each a file spec with its weights beside it.

How they were trained, and what they are known to say, stands in their JSON (`fooling.training`).
"""

from __future__ import annotations

from pathlib import Path

from fooling.classifiers.classifier import Classifier
from fooling.classifiers.numerics import Numerics
from fooling.classifiers.sources.file import open_file
from fooling.model_specs import split

FOLDER = Path(__file__).parents[1] / "weights"


def open_builtin(name: str, numerics: Numerics, trust: bool) -> Classifier:
    """The built-in network of that name.

    Raises:
        InvalidError: there is none; the line lists those there are. Or its files were altered.
    """
    split(f"builtin:{name}")
    return open_file(str(FOLDER / f"{name}.json"), numerics, trust)
