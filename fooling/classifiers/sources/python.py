"""`python:package.module:callable`: a network built by a function of the user's.

The function is called without arguments and returns `(network, spec)`: a `torch.nn.Module`, or any function
of a tensor, and what is said about it; or a `Classifier`. Running it is running its author's code: only with
trust.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from fooling.classifiers.classifier import Classifier
from fooling.classifiers.numerics import Numerics
from fooling.classifiers.spec import Spec
from fooling.errors import FoolingError, InvalidError, NotFoundError, did_you_mean, first_line
from fooling.shadows import folder_of, refuse_shadows
from fooling.validation import explain


def open_python(name: str, numerics: Numerics, trust: bool) -> Classifier:
    """The classifier that `name` ("package.module:callable") builds.

    Raises:
        InvalidError: no trust, or the function fails or returns something else.
        NotFoundError: no such module or function.
    """
    made = build(name, Path.cwd(), trust)
    if isinstance(made, Classifier):
        return made.with_numerics(numerics)
    if isinstance(made, tuple) and len(made) == 2 and callable(made[0]) and isinstance(made[1], Spec):
        return Classifier(made[0], made[1], numerics)
    raise InvalidError(
        f"python:{name}: expected it to return (network, fooling.classifiers.Spec(...)), "
        f"found {type(made).__name__}"
    )


def build(reference: str, folder: Path, trust: bool, **arguments: Any) -> Any:
    """Call "module:callable", found on the import path or in `folder`.

    Raises:
        InvalidError: no trust, no such form, the callable fails, or a file beside the module hides a package of ours.
        NotFoundError: no such module or callable.
    """
    module_name, _, function_name = reference.partition(":")
    if not module_name or not function_name:
        near = reference.removesuffix(".py").rpartition(".") if "." in reference.removesuffix(".py") else None
        meant = f"; did you mean {near[0]}:{near[2]}?" if near else ""
        raise InvalidError(f"expected module:callable, found {reference!r}{meant}")
    if module_name.endswith(".py"):
        meant = ".".join(Path(module_name).with_suffix("").parts)
        raise InvalidError(
            f"expected module:callable, found the file {module_name}; did you mean {meant}:{function_name}?"
        )
    require_trust(trust, f"{reference} is code that loading would run")
    refuse_shadows(folder)
    with _importable(folder):
        refuse_shadows(folder_of(module_name) or folder)
        function = _find(module_name, function_name)
        try:
            return function(**arguments)
        except FoolingError:
            raise
        except Exception as error:
            raise InvalidError(f"{reference} failed: {type(error).__name__}: {_line(error)}") from error


def require_trust(trust: bool, reason: str) -> None:
    """
    Raises:
        InvalidError: no trust.
    """
    if not trust:
        raise InvalidError(f"{reason}; if you trust its author, say --trust (from Python: trust=True)")


def _find(module_name: str, function_name: str) -> Callable[..., Any]:
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise NotFoundError(f"expected a Python module {module_name!r}: {_line(error)}") from None
    except Exception as error:
        raise InvalidError(
            f"importing {module_name} failed: {type(error).__name__}: {_line(error)}"
        ) from error
    function = getattr(module, function_name, None)
    if not callable(function):
        near = did_you_mean(function_name, [name for name in vars(module) if not name.startswith("_")])
        raise NotFoundError(f"expected a callable {function_name!r} in module {module_name!r}{near}")
    return function


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Modules in `folder` can be imported inside the block."""
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(folder))


def _line(error: Exception) -> str:
    if isinstance(error, ValidationError):  # whose own text is many lines, the first of which says nothing
        return explain(error, BaseModel)
    return first_line(error, 160)
