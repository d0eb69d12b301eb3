"""Where classifiers come from: a model SPEC is `source:name`, and a source is a function that opens names."""

from __future__ import annotations

from collections.abc import Callable

from fooling.classifiers.classifier import Classifier
from fooling.classifiers.numerics import Numerics, resolve
from fooling.classifiers.sources.builtin import NAMES, open_builtin
from fooling.classifiers.sources.file import open_file
from fooling.classifiers.sources.python import open_python
from fooling.errors import InvalidError, did_you_mean

Source = Callable[[str, Numerics, bool], Classifier]

SOURCES: dict[str, Source] = {"builtin": open_builtin, "file": open_file, "python": open_python}


def load(spec: str, *, numerics: Numerics | None = None, trust: bool = False) -> Classifier:
    """The classifier that a model SPEC names.

    Args:
        spec: "builtin:lenet", "file:spec.toml" or "python:package.module:callable".
        numerics: left out: `numerics.resolve()`.
        trust: allow what runs its author's code: `python:`, `module:callable`, `.pt2`, TorchScript.

    Raises:
        InvalidError: an unknown source or model, a network that is wrong, or one that needs trust.
        NotFoundError: a file or module that is not there.
    """
    source, colon, name = spec.partition(":")
    if not colon or not name or source not in SOURCES:
        candidates = [f"builtin:{known}" for known in NAMES] + [f"{known}:" for known in SOURCES]
        near = did_you_mean(spec, candidates) or did_you_mean(f"builtin:{spec}", candidates)
        raise InvalidError(
            f"unknown model {spec!r}: expected one of {', '.join(known())}, file:SPEC.toml "
            f"or python:MODULE:CALLABLE{near}"
        )
    return SOURCES[source](name, resolve() if numerics is None else numerics, trust)


def known() -> tuple[str, ...]:
    """The SPECs of the models that come with the package."""
    return tuple(f"builtin:{name}" for name in NAMES)
