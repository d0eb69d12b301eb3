"""Packages that a source needs and this one does not: an optional extra, imported when it is used."""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType

from fooling.errors import InvalidError

EXTRAS = {  # package -> the extra that it is in
    "huggingface_hub": "hf",
    "onnx": "onnx",
    "onnxruntime": "onnx",
    "timm": "zoo",
    "torchvision": "zoo",
    "transformers": "hf",
    "urllib3": "http",
}


def need(package: str, origin: str) -> ModuleType:
    """The package.

    Args:
        origin: the model SPEC that needs it.

    Raises:
        InvalidError: it is not installed, or does not work; the line names the extra.
    """
    name = EXTRAS[package]
    extra = f"the extra {name}: pip install 'fooling[{name}]' (from a clone: pip install -e '.[{name}]')"
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.partition(".")[0] == package:
            raise InvalidError(
                f"{origin}: expected the package {package}, found none; it is in {extra}"
            ) from None
        raise InvalidError(f"{origin}: {package} does not import: {one_line(error)}; see {extra}") from None
    except Exception as error:  # wheels for another torch fail with whatever they stumble over
        raise InvalidError(
            f"{origin}: {package} does not import beside this torch ({one_line(error)}): "
            "install torch and torchvision from the same index"
        ) from None


def trouble(package: str) -> str:
    """What is wrong with an extra's package, in one line; else "". Only torchvision is imported, which has to fit this
    torch; others would take seconds, and leave files."""
    if importlib.util.find_spec(package) is None:
        return f"{package} is not installed"
    if package == "torchvision":
        try:
            importlib.import_module(package)
        except Exception as error:
            return f"torchvision does not import beside this torch ({one_line(error)})"
    return ""


def one_line(error: BaseException) -> str:
    """What an error of somebody else's says, in one line of moderate length."""
    return (" ".join(str(error).split()) or type(error).__name__)[:200]
