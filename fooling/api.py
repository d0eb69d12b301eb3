"""What `import fooling` gives: runs whose gallery is written beside them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from fooling.present.gallery import write_gallery
from fooling.runs import handle
from fooling.runs.evaluator import Evaluation, Evaluator, open_evaluator
from fooling.runs.handle import ResumeOptions, RunHandle, RunOptions
from fooling.store.directory import RunDirectory
from fooling.store.reading import open_run
from fooling.store.snapshot import Snapshot

if TYPE_CHECKING:
    from fooling.studies.compare import result as comparisons
    from fooling.studies.protocol import StudyOptions
    from fooling.studies.transfer import result as transfers


def run(config: str | Path | None = None, **options: Unpack[RunOptions]) -> Snapshot:
    """Evolve fooling images, in a run directory of its own, and wait for the end. See `fooling.runs.handle.run`."""
    options.setdefault("pages", beside)
    return handle.run(config, **options)


def resume(path: str | Path, **options: Unpack[ResumeOptions]) -> Snapshot:
    """Continue a run, and wait for the end. See `fooling.runs.handle.resume`."""
    options.setdefault("pages", beside)
    return handle.resume(path, **options)


def start(config: str | Path | None = None, **options: Unpack[RunOptions]) -> RunHandle:
    """Start a run in a thread, to be followed and stopped. See `fooling.runs.handle.RunHandle`."""
    options.setdefault("pages", beside)
    return RunHandle.start(config, **options)


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


def beside(view: Snapshot) -> None:
    """Write the gallery of a run in its directory.

    Raises:
        OSError: it can't be written.
    """
    write_gallery([view], RunDirectory(view.directory).gallery)


__all__ = [
    "Evaluation",
    "Evaluator",
    "RunHandle",
    "Snapshot",
    "compare",
    "open_evaluator",
    "open_run",
    "resume",
    "run",
    "start",
    "transfer",
]
