"""A run in numbers, as `show --json` prints it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from fooling.store.reading import open_run
from fooling.store.summary import RunSummary, summary
from fooling.validation import models_of

PAGE = Path(__file__).parents[3] / "docs" / "run-directory.md"


def test_a_summary_is_what_the_command_prints(small_run: Any) -> None:
    """A failure costs whoever reads the JSON in Python: it could not be read back as what it was written from."""
    found = summary(open_run(small_run[0]))
    assert RunSummary.model_validate_json(found.model_dump_json(by_alias=True)) == found
    assert found.document() == small_run[1]
    assert list(found.document()) == list(small_run[1])


def test_every_key_is_documented() -> None:
    """A failure costs other programs the meaning of a key."""
    told = set(re.findall(r"`([^`\n]+)`", PAGE.read_text()))
    models: list[type[BaseModel]] = [RunSummary]
    for name in ("confidence", "elites"):
        models += models_of(RunSummary.model_fields[name].annotation)
    keys = {field.alias or name for model in models for name, field in model.model_fields.items()}
    assert keys - told == set()
