"""A reproduction is long: what is done is kept, one experiment's failure costs no other, and the page says what the
numbers say."""

from __future__ import annotations

import json

import numpy as np
import pytest

from fooling.errors import FoolingError, Interrupted
from fooling.present.grid import image_grid, png_of
from fooling.reproduce import page
from fooling.reproduce.catalogue import EXPERIMENTS, Experiment, chosen
from fooling.reproduce.result import Claim, Figure, Result, Row, spread, verdict_of
from fooling.reproduce.session import kept, perform
from fooling.reproduce.workspace import MissingInput, Workspace

PICTURE = png_of(image_grid([np.zeros((4, 4, 1), np.uint8)] * 2, ["a", "b\nc"], heads=("row",)))


def found() -> Result:
    return Result(
        (Claim("It is so", True, "So it is."), Claim("It is otherwise", None, "")),
        (Row("median", "99.99 %", "99.9 %", (0.999, 0.9991)),),
        ("U = 3, p = 0.1, n = 5 + 5",),
        (Figure("plot", "A plot.", PICTURE),),
        "More.",
        {"x": [1.5]},
    )


def experiment(name: str, outcome: Result | Exception) -> Experiment:
    class One(Experiment):
        def perform(self, workspace: Workspace) -> Result:
            calls.append(name)
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

    return One(name, name.title(), "A claim.", "")


calls: list[str] = []


@pytest.fixture(autouse=True)
def _fresh() -> None:
    calls.clear()


def test_what_is_done_is_not_done_again(workspace: Workspace) -> None:
    wanted = [experiment("one", found())]
    first = perform(workspace, wanted)
    second = perform(workspace, wanted)
    assert calls == ["one"]
    assert json.dumps(second[0].result.to_dict()) == json.dumps(first[0].result.to_dict())


def test_one_failure_costs_no_other(workspace: Workspace) -> None:
    wanted = [
        experiment("broken", FoolingError("no disk")),
        experiment("lacking", MissingInput("give --data DIR")),
        experiment("good", found()),
    ]
    done = perform(workspace, wanted)
    assert [one.result.verdict for one in done] == ["open", "open", "reproduced"]
    assert "no disk" in done[0].result.why
    assert done[1].result.why == "give --data DIR"
    assert [one.experiment.name for one in kept(workspace.folder, wanted)] == ["good"], (
        "open ones are tried again"
    )


def test_a_damaged_result_is_told_and_not_counted(workspace: Workspace) -> None:
    wanted = [experiment("one", found())]
    perform(workspace, wanted)
    (workspace.folder / "results" / "one.json").write_text("{")
    with pytest.raises(FoolingError, match=r"one\.json.*remove it"):
        perform(workspace, wanted)


def test_a_result_from_before_there_were_claims_is_done_anew(workspace: Workspace) -> None:
    """Its verdict followed another rule; the runs and measurements that it was made from are still there."""
    workspace.store.write("results/one.json", b'{"result": {"verdict": "partly", "why": "So.", "rows": []}}')
    (done,) = perform(workspace, [experiment("one", found())])
    assert calls == ["one"]
    assert done.result.verdict == "reproduced"


def test_an_interrupt_is_no_failure(workspace: Workspace) -> None:
    """Told as one, Ctrl-C would go on with the next experiment."""
    with pytest.raises(Interrupted):
        perform(workspace, [experiment("one", Interrupted()), experiment("two", found())])
    assert calls == ["one"]


@pytest.mark.parametrize(
    ("holds", "expected"),
    [
        ([True, True], "reproduced"),
        ([True, None], "reproduced"),
        ([True, False], "partly"),
        ([False, None], "not reproduced"),
        ([None, None], "open"),
        ([], "open"),
    ],
)
def test_a_verdict_follows_from_the_claims(holds: list[bool | None], expected: str) -> None:
    """One rule for all experiments: a reader need not learn fifteen."""
    assert verdict_of([Claim("", one, "") for one in holds]) == expected


def test_the_page_has_every_number_and_picture(workspace: Workspace) -> None:
    done = perform(workspace, [experiment("one", found()), experiment("two", MissingInput("give it"))])
    files = page.write(workspace, done, "fooling reproduce --quick")
    text = files[0].read_text()
    for expected in (
        "**reproduced**",
        "99.99 %",
        "n = 5 + 5",
        "More.",
        "- holds: It is so",
        "- not tested: It is otherwise",
        "`fooling reproduce --quick`",
        "give it",
    ):
        assert expected in text
    for line in text.splitlines():
        if line.startswith("!["):
            assert (files[0].parent / line.rpartition("(")[2].rstrip(")")).is_file()
    assert "(#one)" in text
    data = json.loads(files[1].read_text())
    assert data["experiments"][0]["rows"][0]["values"] == [0.999, 0.9991]
    assert page.markdown(data) == text, "the page must follow from its data alone"


def test_every_experiment_can_be_called() -> None:
    import importlib

    for one in EXPERIMENTS:
        module, _, function = one.function.partition(":")
        assert callable(getattr(importlib.import_module(f"fooling.reproduce.experiments.{module}"), function))


def test_without_names_all_that_need_no_model() -> None:
    assert {one.needs for one in chosen((), None)} == {"nothing", "mnist", "cifar10"}
    assert {one.needs for one in chosen((), None, quick=True)} == {"nothing", "mnist"}
    assert chosen((), "builtin:lenet") == list(EXPERIMENTS)
    assert [one.name for one in chosen(("ascent", "mnist-direct"), None)] == ["mnist-direct", "ascent"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.5], "50.0 % (n = 1)"),
        ([0.1, 0.5, 0.2], "20.0 % (range 10.0 % to 50.0 %, n = 3)"),
        ([0.1, 0.2, 0.3, 0.4, 0.5], "30.0 % (IQR 20.0 % to 40.0 %, n = 5)"),
    ],
)
def test_a_spread_has_its_n(values: list[float], expected: str) -> None:
    assert spread(values) == expected
