"""Lets torchvision be imported beside a torch that it was not built for: its wheels are for CUDA and fail
beside a torch for CPUs. What they miss is operators for detection, which no classifier uses: they are declared,
without an implementation, before torchvision is imported for the first time.

Python imports a module of this name at its start when its folder is on PYTHONPATH. Tests import it too.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import re
import sys
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import Any


class Declaring(MetaPathFinder):
    """Finds nothing, but is asked first."""

    library: Any = None  # what was declared is undone when this goes

    def find_spec(self, name: str, path: Any, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        if name == "torchvision":
            sys.meta_path.remove(self)
            found = importlib.util.find_spec(name)
            if found is not None and found.origin is not None:
                self.declare(Path(found.origin).parent)
        return None

    @classmethod
    def declare(cls, folder: Path) -> None:
        import torch

        try:
            for extension in folder.glob("_C*.so"):
                torch.ops.load_library(extension)
        except (OSError, RuntimeError):
            source = (folder / "_meta_registrations.py").read_text()
            names = set(re.findall(r'register_meta\("(\w+)"|torchvision::(\w+)', source))
            cls.library = torch.library.Library("torchvision", "FRAGMENT")
            for operator in {first or second for first, second in names}:
                cls.library.define(f"{operator}(Tensor x) -> Tensor")


sys.meta_path.insert(0, Declaring())
