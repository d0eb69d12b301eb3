"""What is taken: the views, and the runs that they show."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page

from tests.browser.serving import ENDLESS, Site, make_album, make_hard_runs

Runs = dict[str, str]  # the names of runs and studies, and their ids
_NETWORK = "python:benchmarks.zoo:mcunet_5fps_128"
_OTHERS = "builtin:lenet-b,builtin:mlp,builtin:vit-mini"


@dataclass(frozen=True)
class View:
    """A picture to take.

    Attributes:
        path: of the page; `{name}` is the id of a run or study.
        there: what can be seen when the page is drawn.
        act: what is done on the page before.
    """

    path: str
    there: str
    act: Callable[[Page], None] = lambda page: None


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
    "runs": View("/", "#cards li"),
    "run": View("/runs/{show}", "#wall li"),
    "compare": View("/compare?runs={digits},{digits-direct}", "#wall li"),
    "blind": View("/blind/{show}", "#begin", _ask),
    "truth": View("/blind/{show}", "#begin", _tell),
    "hard-labels": View("/runs/{hard-labels}", "#wall li"),
    "hard-two-classes": View("/runs/{two-classes}", "#wall li"),
    "hard-failed": View("/runs/{failed}", "#wall li"),
    "hard-empty": View("/runs/{empty}", "#none"),
    "hard-running": View("/runs/{endless}", "#wall li"),
}


def begin_runs(folder: Path) -> tuple[Site, Runs]:
    """A server with runs that are done, one that goes on, and runs that are hard to show."""
    assets = Path(os.environ.get("FOOLING_ASSETS", "../shared/assets")).resolve()
    root = folder / "runs"
    root.mkdir()
    make_hard_runs(root)
    samples = [assets / "photos.csv", assets / "mnist"] if assets.is_dir() else [make_album(folder / "album")]
    options = [part for path in samples for part in ("--samples", str(path))]
    if assets.is_dir():
        options += ["--model", _NETWORK, "--trust"]
    site = Site(root, *options)
    runs = {job["name"]: job["id"] for job in site.jobs()}
    long = {"search.generations": 120, "search.population": 100}
    runs["digits"] = site.launch("mnist-cppn", "digits", set=long, seed=1)
    runs["digits-direct"] = site.launch("mnist-direct", "digits, direct", set=long, seed=1)
    if assets.is_dir():
        photos = {"search.generations": 60, "search.population": 200}
        runs["show"] = site.launch("imagenet-cppn", "a thousand classes", set=photos, model=_NETWORK, seed=1)
    for id in [runs[name] for name in ("digits", "digits-direct", "show") if name in runs]:
        site.wait_for(id, "completed", "failed")
    runs.setdefault("show", runs["digits"])
    runs["endless"] = site.launch("mnist-cppn", "going on", set=ENDLESS)
    site.wait_for(runs["endless"], "running")
    site.launch("mnist-cppn", "next", set=long)
    return site, runs
