"""What holds of every study: it is found by its kind, and other programs can read what it takes and gives."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

import fooling
from fooling import studies
from fooling.errors import FoolingError, InvalidError, NotFoundError
from fooling.studies.protocol import attempt
from fooling.validation import models_of

DOCS = Path(__file__).parents[3] / "docs"


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


def keys_of(model: type[BaseModel]) -> set[str]:
    """The keys of a model's JSON, those of its parts included."""
    fields = {field.alias or name: field for name, field in model.model_fields.items() if not field.exclude}
    parts = [part for field in fields.values() for part in models_of(field.annotation)]
    return set(fields).union(*map(keys_of, parts))


@pytest.mark.parametrize("kind", studies.STUDIES)
def test_every_key_of_a_result_is_documented(kind: str) -> None:
    """A failure costs whoever reads the JSON: a key would mean nothing to them."""
    text = "".join((DOCS / page).read_text() for page in (f"{kind}.md", "run-directory.md"))  # statistics
    told = set(re.findall(r"`([^`\n]+)`", text.replace("[]", "")))
    told |= {key.removeprefix("runs.") for key in told}
    keys = keys_of(studies.find(kind).Result)
    assert {key for key in keys - told if not key.endswith("_ci95")} == set()


def blocks(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", (DOCS / page).read_text(), re.MULTILINE | re.DOTALL)


def test_the_page_for_python_works_as_written(
    small_run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A failure costs a reader of docs/studies.md their first hour."""
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "mine").symlink_to(small_run[0])
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for block in blocks("studies.md"):
        exec(block, names)
    said = capsys.readouterr().out
    assert "images fool both" in said
    assert "1 of 1: builtin:lenet-b" in said
    assert type(names["result"]).model_validate(names["result"].document()) == names["result"]


def test_the_recipe_for_another_study_works(
    small_run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure costs whoever adds a study: docs/architecture.md says that it takes one folder and one line."""
    (recipe,) = [block for block in blocks("architecture.md") if "class Request" in block]
    (tmp_path / "brightness_study.py").write_text(recipe)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(studies.STUDIES, "brightness", "brightness_study")
    study = studies.find("brightness")
    result = study.study(study.Request(runs=[small_run[0], tmp_path / "nowhere"]))
    assert 0 < result.means[0] < 255
    assert json.loads(json.dumps(result.document())) == {
        "means": list(result.means),
        "left_out": [
            {"what": str(tmp_path / "nowhere"), "reason": f"no run directory {tmp_path / 'nowhere'}"}
        ],
    }


def test_runs_are_compared_from_python(small_run: Any, tmp_path: Path) -> None:
    """A failure costs a notebook the question that it asks most."""
    copy = tmp_path / "copy"
    shutil.copytree(small_run[0], copy)
    result = fooling.compare([fooling.open_run(small_run[0]), str(copy)])
    assert [run.name for run in result.runs] == ["run", "copy"]
    assert result.runs[0].elites == result.runs[1].elites
