"""`import fooling` in a notebook: what tab completion shows, and what is said of the usual first mistakes."""

from __future__ import annotations

import subprocess
import sys

import pytest
from torch import nn

import fooling
from fooling import model_specs
from fooling.classifiers import from_module, load
from fooling.classifiers.check import check
from fooling.classifiers.sources import SOURCES
from fooling.errors import InvalidError, NotFoundError

NETWORK = nn.Sequential(nn.Flatten(), nn.Linear(784, 10)).eval()
SMALL = ["search.generations=1", "search.population=10", "run.chunk=10"]


def test_tab_completion_offers_everything_and_imports_nothing(environment):
    """Without it a newcomer sees a module with a version and nothing else; a slow import would be felt each time."""
    code = (
        "import sys, fooling; names = dir(fooling)\n"
        "assert {'run', 'resume', 'open_run', 'Snapshot', 'classifiers', '__version__'} <= set(names), names\n"
        "heavy = {'torch', 'ray', 'pydantic', 'numpy', 'numba', 'fastapi'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "assert fooling.classifiers.load\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    for name in fooling.__all__:
        assert callable(getattr(fooling, name))


def test_a_run_is_opened_by_text_or_path(tmp_path):
    """`resume` and `run` take text."""
    run = fooling.run("mnist-cppn", out=str(tmp_path / "run"), assignments=SMALL)
    assert fooling.open_run(str(tmp_path / "run")).evaluations == run.evaluations
    assert fooling.open_run(tmp_path / "run").evaluations == run.evaluations
    with pytest.raises(NotFoundError):
        fooling.open_run("no such run")


@pytest.mark.parametrize(
    "given, way_out",
    [
        (NETWORK, r"found Sequential: make one with fooling.classifiers.from_module\(network, Spec\("),
        (NETWORK.forward, r"found method: make one with fooling.classifiers.from_module"),
        ("builtin:lenet", r"found str: make one with fooling.classifiers.load\('builtin:lenet'\)"),
    ],
)
def test_what_is_no_classifier_is_told_how_to_be_one(given, way_out, tmp_path):
    for ask in (
        lambda: fooling.run("mnist-cppn", classifier=given, out=tmp_path / "run"),
        lambda: fooling.resume(tmp_path / "run", classifier=given),
        lambda: check(given),
    ):
        with pytest.raises(InvalidError, match=way_out) as caught:
            ask()
        assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "module, spec, message",
    [
        (NETWORK.state_dict(), load("builtin:lenet").spec, "expected a torch.nn.Module .* found OrderedDict"),
        (nn.Linear, load("builtin:lenet").spec, "found the class Linear"),
        (NETWORK, {"size": 28}, r"expected what is said about the network, Spec\(.*found dict"),
        (NETWORK, ["cat", "dog"], "found list"),
    ],
)
def test_from_module_says_what_it_wants(module, spec, message):
    with pytest.raises(InvalidError, match=message):
        from_module(module, spec)


def test_every_source_is_named_where_typos_are_told() -> None:
    """A failure makes a source that nobody can name, or names one that is none."""
    assert set(model_specs.SOURCES) == set(SOURCES)
