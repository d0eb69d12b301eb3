"""What is taken: the views, and the runs that they show."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.browser.serving import ENDLESS, Site, copy_run, make_album, make_hard_runs

Runs = dict[str, str]  # the names of runs and studies, and their ids
_NETWORK = "python:benchmarks.zoo:mcunet_5fps_128"
_OTHERS = ["builtin:lenet-b", "builtin:mlp", "builtin:vit-mini"]


@dataclass(frozen=True)
class View:
    """A picture to take.

    Attributes:
        path: of the page; `{name}` is the id of a run or study.
        there: what can be seen when the page is drawn.
        act: what is done on the page before.
        hard: whether it is a case that is hard to show.
    """

    path: str
    there: str
    act: Callable[[Page], None] = lambda page: None
    hard: bool = False


def _ask(page: Page) -> None:
    page.locator("#begin button").click()
    page.locator("#asking").wait_for()
    if page.locator("#search").is_visible():
        page.locator("#query").fill("bird")


def _tell(page: Page) -> None:
    """Answer all of a session with "nothing", but for some digits."""
    page.get_by_label("Images").select_option("10")
    page.locator("#begin button").click()
    page.locator("#asking").wait_for()
    for number in range(1, 11):
        page.get_by_text(f"Image {number} of 10").wait_for()
        page.locator("#nothing").click()
    page.locator("#truths li").first.wait_for()


VIEWS = {
    "runs": View("/", "#cards .run-card"),
    "run": View("/runs/{show}", "#wall li"),
    "new": View("/new", "#presets button"),
    "elite": View("/runs/{digits}/elites/3", "#graph .node"),
    "breed": View("/breed?from={digits}/3", "#children .said b"),
    "transfer": View("/studies/{transfer}", "#answers img"),
    "compare": View("/compare?runs={digits},{digits-direct}", "#wall li"),
    "blind": View("/blind/{show}", "#begin", _ask),
    "truth": View("/blind/{show}", "#begin", _tell),
    "hard-labels": View("/runs/{hard-labels}", "#wall li", hard=True),
    "hard-two-classes": View("/runs/{two-classes}", "#wall li", hard=True),
    "hard-failed": View("/runs/{failed}", "#wall li", hard=True),
    "hard-empty": View("/runs/{empty}", "#none", hard=True),
    "hard-running": View("/runs/{endless}", "#wall li", hard=True),
}


def begin_runs(folder: Path, ready: Path | None) -> tuple[Site, Runs]:
    """A server with runs that are done, one that goes on, and runs that are hard to show.

    Args:
        folder: an empty one.
        ready: a folder of runs, named `digits`, `digits-direct` and `show`, that need not be made.
    """
    assets = Path(os.environ.get("FOOLING_ASSETS", "../shared/assets")).resolve()
    root = folder / "runs"
    root.mkdir()
    make_hard_runs(root)
    for run in ready.iterdir() if ready else ():
        copy_run(run, root / run.name)
    samples = [assets / "photos.csv", assets / "mnist"] if assets.is_dir() else [make_album(folder / "album")]
    options = [part for path in samples for part in ("--samples", str(path))]
    if assets.is_dir():
        options += ["--model", _NETWORK, "--trust"]
    site = Site(root, *options)
    runs = {job["name"]: job["id"] for job in site.jobs()}
    long = {"search.generations": 150, "search.population": 100}
    wanted: dict[str, tuple[str, dict[str, Any]]] = {
        "digits": ("mnist-cppn", {"set": long}),
        "digits-direct": ("mnist-direct", {"set": long}),
    }
    if assets.is_dir():
        wanted["show"] = "imagenet-cppn", {"set": {**long, "search.population": 200}, "model": _NETWORK}
    for name, (config, settings) in wanted.items():
        if name not in runs:
            runs[name] = site.launch(config, name, seed=1, **settings)
    for name in wanted:
        site.wait_for(runs[name], "completed")
    runs.setdefault("show", runs["digits"])
    study = {"kind": "transfer", "runs": [runs["digits"], runs["digits-direct"]], "to": _OTHERS}
    runs["transfer"] = str(site.api("/api/v1/studies", study)["id"])
    site.wait_for(runs["transfer"], "completed", kind="studies")
    runs["endless"] = site.launch("mnist-cppn", "going on", set=ENDLESS)
    site.wait_for(runs["endless"], "running")
    site.launch("mnist-cppn", "next", set=long)
    return site, runs
