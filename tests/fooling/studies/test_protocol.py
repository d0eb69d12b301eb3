"""What holds of every study: it is found by its kind, and other programs can read what it takes and gives."""

from __future__ import annotations

import subprocess
import sys

import pytest

from fooling import studies
from fooling.errors import FoolingError, InvalidError, NotFoundError
from fooling.studies.protocol import attempt


@pytest.mark.parametrize("kind", studies.STUDIES)
def test_each_study_has_a_request_a_result_and_an_answer(kind: str) -> None:
    """A failure costs the service a study: it finds no schema for its forms, or no function to call."""
    found = studies.find(kind)
    for model in (found.Request, found.Result):
        schema = model.model_json_schema(by_alias=True)
        assert schema["additionalProperties"] is False
        assert schema["properties"]
        assert model.model_config["frozen"]
    assert callable(found.study)


def test_no_request_can_lend_itself_trust_or_a_cluster() -> None:
    """A failure costs whoever serves studies: a request from the network would run code or connect to an address."""
    for kind in studies.STUDIES:
        fields = set(studies.find(kind).Request.model_fields)
        assert fields & {"trust", "address", "workers", "wait", "notify"} == set()


def test_a_study_that_there_is_not_is_told_with_the_one_that_was_meant() -> None:
    with pytest.raises(NotFoundError, match=r"no study named transfr.*did you mean transfer\?"):
        studies.find("transfr")


def test_the_list_of_studies_costs_nothing() -> None:
    """A failure costs `--help` its speed: it would wait for torch."""
    code = "import sys, fooling.studies; sys.exit(any(name in sys.modules for name in ('torch', 'pydantic')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_fails_is_left_out_while_enough_is_left() -> None:
    """A failure costs the work on the others, or the news that something is missing."""

    def half(number: int) -> int:
        if number % 2:
            raise InvalidError(f"{number} is odd")
        if number == 6:
            raise FoolingError("unlucky")
        return number // 2

    done, failed = attempt([1, 2, 4], half)
    assert done == [1, 2]
    assert [(item, str(error)) for item, error in failed] == [(1, "1 is odd")]
    with pytest.raises(InvalidError, match=r"^1 is odd$"):
        attempt([1, 2], half, least=2)
    with pytest.raises(FoolingError, match=r"^6: unlucky$"):
        attempt([6, 3], half)
