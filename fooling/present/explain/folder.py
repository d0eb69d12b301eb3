"""An explanation as files: the data and the page."""

from __future__ import annotations

from pathlib import Path

from fooling.errors import naming_write_errors
from fooling.files import json_bytes, replacing
from fooling.present.explain.page import DATA, PAGE, page
from fooling.studies.explain.result import Result
from fooling.text import encoded


def write(result: Result, folder: Path) -> list[Path]:
    """Write an explanation, in place of an older one.

    Returns:
        The files.

    Raises:
        FoolingError: the folder can't be written.
    """
    contents = {DATA: json_bytes(result.document()), PAGE: encoded(page(result))}
    with naming_write_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            with replacing(folder / name) as file:
                file.write(content)
    return [folder / name for name in contents]
