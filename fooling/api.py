"""What `import fooling` gives: runs whose gallery is written beside them."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from fooling.present import notebook
from fooling.present.gallery import write_gallery
from fooling.present.reporter import Reporter, in_notebook
from fooling.runs import handle
from fooling.runs.evaluator import Evaluation, Evaluator, open_evaluator
from fooling.runs.handle import ListenerOptions, ResumeOptions, RunHandle, RunOptions
from fooling.store.directory import RunDirectory
from fooling.store.reading import open_run
from fooling.store.snapshot import Elite, Snapshot

if TYPE_CHECKING:
    from PIL import Image

    from fooling.present.sheet import Sort
    from fooling.studies.compare import result as comparisons
    from fooling.studies.lineage import result as lineages
    from fooling.studies.protocol import StudyOptions
    from fooling.studies.transfer import result as transfers


def run(config: str | Path | None = None, **options: Unpack[RunOptions]) -> Snapshot:
    """Evolve fooling images, in a run directory of its own, and wait for the end. See `fooling.runs.handle.run`."""
    _tell(options)
    return handle.run(config, **options)


def resume(path: str | Path, **options: Unpack[ResumeOptions]) -> Snapshot:
    """Continue a run, and wait for the end. See `fooling.runs.handle.resume`."""
    _tell(options)
    return handle.resume(path, **options)


def start(config: str | Path | None = None, **options: Unpack[RunOptions]) -> RunHandle:
    """Start a run in a thread, to be followed and stopped. See `fooling.runs.handle.RunHandle`."""
    _tell(options)
    return RunHandle.start(config, **options)


def _tell(options: ListenerOptions) -> None:
    """Unless the caller says otherwise, have a gallery written beside the run, and a notebook told how far it is."""
    options.setdefault("pages", beside)
    if "report" not in options and in_notebook():
        options["report"] = Reporter()


def transfer(
    runs: Sequence[Snapshot | str | Path],
    to: Sequence[str],
    *,
    min_confidence: float = 0.0,
    rerender: bool = False,
    **how: Unpack[StudyOptions],
) -> transfers.Result:
    """Show the elites of runs to other classifiers, named by their SPECs. See `fooling.studies.transfer`."""
    from fooling.studies.transfer.study import Request, study

    asked: dict[str, Any] = {
        "runs": list(runs),
        "to": list(to),
        "min_confidence": min_confidence,
        "rerender": rerender,
    }
    return study(Request(**asked), **how)


def compare(
    runs: Sequence[Snapshot | str | Path], data: str | Path | None = None, **how: Unpack[StudyOptions]
) -> comparisons.Result:
    """Compare runs on the same classes; `data` are training images. See `fooling.studies.compare`."""
    from fooling.studies.compare.study import Request, study

    asked: dict[str, Any] = {"runs": list(runs), "data": data}
    return study(Request(**asked), **how)


def lineage(run: Snapshot | str | Path, wanted: int | str, **how: Unpack[StudyOptions]) -> lineages.Result:
    """Where the elite of a class came from; the class is named by its number or label. See `fooling.studies.lineage`."""
    from fooling.studies.lineage.study import Request, study

    asked: dict[str, Any] = {"run": run, "class": wanted}
    return study(Request(**asked), **how)


def sheet(
    run: Snapshot, *, limit: int | None = None, columns: int | None = None, sort: Sort = "class"
) -> Image.Image:
    """A contact sheet of a run's elites, as a picture of Pillow. See `fooling.present.sheet.contact_sheet`."""
    from fooling.present.sheet import contact_sheet

    return contact_sheet(run, limit=limit, columns=columns, sort=sort)


def chart(run: Snapshot) -> Image.Image:
    """How the confidences of a run rose, generation by generation, as a picture of Pillow."""
    from PIL import Image

    return Image.open(BytesIO(notebook.chart(run)))


def gallery(runs: Sequence[Snapshot], path: str | Path) -> Path:
    """Write one HTML file with every elite of some runs; of several it shows each class side by side.

    Raises:
        OSError: it can't be written.
    """
    write_gallery(runs, Path(path))
    return Path(path)


def beside(view: Snapshot) -> None:
    """Write the gallery of a run in its directory.

    Raises:
        OSError: it can't be written.
    """
    write_gallery([view], RunDirectory(view.directory).gallery)


__all__ = [
    "Elite",
    "Evaluation",
    "Evaluator",
    "Reporter",
    "RunHandle",
    "Snapshot",
    "chart",
    "compare",
    "gallery",
    "lineage",
    "open_evaluator",
    "open_run",
    "resume",
    "run",
    "sheet",
    "start",
    "transfer",
]
