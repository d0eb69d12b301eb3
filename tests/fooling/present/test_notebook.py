"""What a notebook shows. A failure costs whoever works in one: a cell that shows nothing, or the code of a stranger's
label at work in their page."""

from __future__ import annotations

import io
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from torch import nn

import fooling
from fooling.classifiers import Spec, from_module
from fooling.errors import NotFoundError
from fooling.present.notebook import SHOWN
from fooling.store.snapshot import Snapshot
from fooling.studies.protocol import Progress
from tests.fooling.present.conftest import MakeView

HOSTILE = '<img src=x onerror="alert(1)">\u202e'


def html_of(value: Any) -> str:
    """The HTML that a notebook would show."""
    found = value._repr_html_()
    assert isinstance(found, str)
    return found


def test_a_run_shows_its_surest_elites_and_its_curve(make_view: MakeView) -> None:
    """More images would make a notebook of many megabytes; fewer words would leave open which run it is."""
    html = html_of(make_view(np.linspace(0.1, 0.95, 30)))
    assert html.count("<figure") == SHOWN
    assert html.count("data:image/png") == SHOWN + 1  # the curve
    assert "The 20 surest of 30 elites are shown." in html
    assert html.index("label 29<br>") < html.index("label 28<br>")
    assert "label 9<br>" not in html
    assert "builtin:lenet" in html


def test_labels_are_shown_as_text(make_view: MakeView) -> None:
    """Run directories come from strangers: a label must neither run code nor turn the text around."""
    run = make_view([0.9, 0.5], labels=[HOSTILE, "cat"], top1=[1, 0])
    for html in (html_of(run), html_of(run.elite(0)), html_of(run.elite(1))):
        assert "onerror" in html
        assert "<img src=x" not in html
        assert "\u202e" not in html


def test_a_run_without_elites_or_curve_shows_its_facts(make_view: MakeView) -> None:
    """A card that raises hides the run behind a traceback."""
    html = html_of(make_view([np.nan, np.nan], curve=[]))
    assert "<figure" not in html
    assert "data:image" not in html
    assert "2 without an elite" in html


def test_large_images_are_shown_smaller_and_kept_as_they_are(make_view: MakeView) -> None:
    """Twenty images of 600 x 300 pixels would be 10 MB of notebook; the elite's own pixels are the evidence."""
    run = make_view([0.9], shape=(300, 600, 3), curve=[])
    assert len(html_of(run)) < 100_000
    assert run.elite(0).pixels.shape == (300, 600, 3)


def test_an_elite_is_found_by_number_or_label_and_never_changes(make_view: MakeView) -> None:
    """Its PNG holds exactly the pixels that were classified."""
    run = make_view([0.9, np.nan, 0.5], labels=["tench, Tinca tinca", "shark", "ray"], top1=[0, 0, 0])
    elite = run.elite("Tinca tinca")
    assert (elite.number, elite.label, elite.generation) == (0, "tench, Tinca tinca", 10)
    assert elite.confidence == run.confidence[0]
    png = elite._repr_png_()
    assert png is not None
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(png))), elite.pixels[:, :, 0])
    assert np.asarray(run.image(0)).tobytes() == elite.pixels.tobytes()
    with pytest.raises(ValueError, match="read-only"):
        elite.pixels[:] = 0
    assert "called tench, Tinca tinca first" in html_of(run.elite(2))
    with pytest.raises(NotFoundError, match="class 1, shark, has no elite"):
        run.elite("shark")
    with pytest.raises(NotFoundError, match="no class 3: expected 0 to 2"):
        run.image(3)


def test_pictures_of_a_run_are_pictures_of_pillow(make_view: MakeView) -> None:
    """Whoever wants one on a slide saves it; without elites yet there is one line, no traceback of Pillow."""
    run = make_view()
    assert fooling.sheet(run, limit=2).width > 100
    assert fooling.chart(run).width > 300
    assert fooling.chart(make_view([0.5], curve=[])).width > 300


def test_a_run_in_a_thread_shows_how_it_stands(tmp_path: Any) -> None:
    """It is the only sign of a run whose cell has ended; a failure must be seen there too."""
    handle = fooling.start("mnist-cppn", out=tmp_path / "run", assignments=["search.generations=2"])
    handle.result(timeout=120)
    assert "completed" in html_of(handle)
    assert "generation 2, 600 evaluations" in html_of(handle)
    assert repr(handle).endswith("completed, generation 2>")
    failed = fooling.start("mnist-cppn", out=tmp_path / "run")
    with pytest.raises(Exception, match="exists"):
        failed.result(timeout=60)
    assert "failed" in html_of(failed)
    assert "exists" in html_of(failed)


def test_results_of_studies_show_themselves(tmp_path: Any) -> None:
    """Each is a table and a picture, with what was left out."""
    small = ["search.generations=1", "search.population=20"]
    runs: list[Snapshot | str] = [
        fooling.run("mnist-direct", out=tmp_path / str(seed), seed=seed, assignments=small) for seed in (0, 1)
    ]
    transfer = html_of(fooling.transfer([*runs, str(tmp_path / "none")], to=["builtin:mlp"]))
    assert transfer.count("<tr>") == 3
    assert "left out" in transfer
    assert transfer.count("data:image/png") == 1
    assert html_of(fooling.compare(runs)).count("data:image/png") == 1
    assert "on the line of parents" in html_of(fooling.lineage(runs[0], 3))


class Kernel:
    """What a `Reporter` asks of IPython, and what it has shown."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.kernel: Any = self

    def get_ipython(self) -> Kernel:
        return self

    def display(self, value: Any, display_id: bool) -> Kernel:
        assert display_id
        self.update(value)
        return self

    def update(self, value: Any) -> None:
        assert "<div" in value._repr_html_()
        self.shown.append(repr(value))


def test_a_notebook_has_one_line_that_is_updated(make_view: MakeView, monkeypatch: Any, capsys: Any) -> None:
    """A line for each generation would bury the notebook; nothing at all looks like a program that hangs."""
    kernel = Kernel()
    monkeypatch.setitem(sys.modules, "IPython", kernel)
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=kernel.display))
    report = fooling.Reporter()
    report(make_view())
    report(Progress(1, 2, "too soon to be shown"))
    report(Progress(2, 2, HOSTILE))
    assert kernel.shown[0] == "loading the classifier"
    assert kernel.shown[1].startswith("generation 20/20: median 99.50 %")
    assert len(kernel.shown) == 3
    assert "\u202e" not in kernel.shown[2]
    assert capsys.readouterr().err == ""


def test_a_run_in_a_notebook_tells_how_far_it_is_without_being_asked(tmp_path: Any, monkeypatch: Any) -> None:
    """Nobody knows of `Reporter` at first: a cell that is silent for minutes looks like one that hangs. The folder of a
    network of one's own has its name, so that it is found again."""
    kernel = Kernel()
    monkeypatch.setitem(sys.modules, "IPython", kernel)
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=kernel.display))
    monkeypatch.chdir(tmp_path)
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 2)).eval()
    spec = Spec(name="../my net", size=8, colour="grey", labels=("cat", "dog"))
    small = ["search.generations=1", "search.population=20"]
    run = fooling.run(classifier=from_module(network, spec), assignments=small)
    assert kernel.shown[-1].startswith("generation 1/1: ")
    assert run.directory.relative_to(tmp_path).as_posix() == "runs/my-net-seed0"
    before = list(kernel.shown)
    second = fooling.run(
        "mnist-direct", classifier=from_module(network, spec), assignments=small, report=None
    )
    assert kernel.shown == before
    assert second.directory.name == "my-net-mnist-direct-seed0"


@pytest.mark.parametrize("terminal", [True, False])
def test_elsewhere_progress_is_plain_lines(
    make_view: MakeView, monkeypatch: Any, capsys: Any, terminal: bool
) -> None:
    """IPython in a terminal can't update what it has shown; a script has no IPython, and must not need it."""
    shell = Kernel()
    shell.kernel = None
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    if terminal:
        monkeypatch.setitem(sys.modules, "IPython", shell)
    fooling.Reporter()(make_view())
    assert capsys.readouterr().err.startswith("generation 20/20: median 99.50 %")


def test_the_command_line_imports_no_drawings(environment: Any) -> None:
    """Every command would wait for them."""
    code = "import sys, fooling.cli.progress; assert not {'numpy', 'jinja2', 'matplotlib'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
