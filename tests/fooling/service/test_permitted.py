"""What a request may set: every setting has been thought about."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from fooling.config import Settings
from fooling.service.permitted import ALLOWED, REFUSED, settings_of
from fooling.service.problems import ProblemError
from fooling.service.schema import RunRequest

LENET = ("builtin:lenet",)


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from models_in(part)


def keys(model: type[BaseModel] = Settings, prefix: str = "") -> set[str]:
    """Every setting by dotted key."""
    found: set[str] = set()
    for name, field in model.model_fields.items():
        tables = list(models_in(field.annotation)) if not prefix else []
        for table in tables:
            found |= keys(table, f"{name}.")
        if not tables:
            found.add(f"{prefix}{name}")
    return found


def test_every_setting_is_allowed_or_refused() -> None:
    """A failure is a new setting that nobody has looked at: if it names a path, an address or code, a request must not
    have it. Put it in one of the two tables of fooling/service/permitted.py."""
    assert keys() == ALLOWED | REFUSED.keys()
    assert not ALLOWED & REFUSED.keys()


@pytest.mark.parametrize("key", sorted(REFUSED))
def test_refused_settings_are_refused(key: str) -> None:
    """A failure lets a request read the files of this machine, or connect it somewhere."""
    with pytest.raises(ProblemError) as found:
        settings_of(RunRequest(set={key: "x"}), LENET)
    assert found.value.status == 403


def test_no_text_goes_into_a_setting_unseen() -> None:
    """A failure is a setting of free text that a request may have: it is a path or an address in the making."""
    free = {"encoding.name", "search.name"}
    for key in sorted(ALLOWED - free):
        with pytest.raises(ProblemError) as found:
            settings_of(RunRequest(set={key: "/etc/passwd"}), LENET)
        assert found.value.status == 422, key
        assert "/etc" not in found.value.detail


def test_settings_that_fit_are_taken() -> None:
    """A failure refuses what the command line takes."""
    request = RunRequest(
        config="mnist-direct", seed=3, set={"search.generations": 5, "encoding.mutation_rate": 0.2}
    )
    found = settings_of(request, LENET)
    assert (found.seed, found.search.generations, found.encoding.name) == (3, 5, "direct")


def test_a_config_that_names_another_classifier_is_refused() -> None:
    """A failure lets a config open a server that nobody allowed."""
    with pytest.raises(ProblemError) as found:
        settings_of(RunRequest(config="http-example"), LENET)
    assert found.value.status == 403
