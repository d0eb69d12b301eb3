"""The names and files of the ready-made configs."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from fooling.errors import NotFoundError, did_you_mean

DEFAULT_CONFIG = "mnist-cppn"


def config_directory() -> Path:
    """The folder of the ready-made configs: in the installed package, or in the source tree."""
    packaged = Path(str(resources.files("fooling"))) / "configs"
    return packaged if packaged.is_dir() else Path(__file__).resolve().parent.parent / "configs"


def names() -> list[str]:
    """The names of the ready-made configs."""
    return sorted(path.stem for path in config_directory().glob("*.toml"))


def find(config: str | Path) -> Path:
    """The file of a config, which is given by its name or its path.

    Raises:
        NotFoundError: no config has this name or path.
    """
    path = Path(config)
    if path.suffix == ".toml" or len(path.parts) > 1:
        if path.is_file():
            return path
        raise NotFoundError(f"no config file {path}")
    named = config_directory() / f"{config}.toml"
    if named.is_file():
        return named
    hint = did_you_mean(str(config), names()) or f"; there are {', '.join(names())}"
    raise NotFoundError(f"no config named {config}{hint}")
