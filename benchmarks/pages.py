"""How soon pages answer a reader, in a real browser beside a real `fooling serve`.

    python -m benchmarks.pages [--quick] [--cores 2]

Runs of 2, 1,000 and 21,843 classes are made up on the disk (benchmarks/made_up.py). The server's time of a page is the
median of ten GETs; what the page then fetches is asked for once by a server that has read no other run but a tiny one, and
once more. The rest
is Chromium's: usable, from the start of the navigation to the first image of the wall that is drawn; a key, from the press to
the next frame (Event Timing, in steps of 8 ms), the slowest of arrows, of letters in the filter and of a change of the order;
scrolling, the longest task (Long Tasks, which begin at 50 ms) while the wheel goes through the wall. The gallery on a disk has
1,000 direct images of 256 x 256 pixels of noise, which do not compress.
"""

from __future__ import annotations

import argparse
import http.client
import json
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from benchmarks.made_up import make_run
from benchmarks.report import arguments, parser, save
from benchmarks.service import Server
from fooling.present.gallery import write_gallery
from fooling.present.markdown import table as markdown
from fooling.store.reading import open_run

WALLS = {
    "2 classes, 28 x 28": (2, 28, "grey"),
    "1,000, 224 x 224": (1000, 224, "rgb"),
    "21,843, 64 x 64": (21_843, 64, "rgb"),
}
VIEWPORT: ViewportSize = {"width": 1600, "height": 1000}
PATIENCE = 120_000  # milliseconds
WATCH = """
    window.keys = []; window.tasks = []; window.shifts = 0;
    new PerformanceObserver((list) => keys.push(...list.getEntries().filter((e) => /key|input/.test(e.name)).map((e) => e.duration)))
        .observe({ type: "event", durationThreshold: 16, buffered: true });
    new PerformanceObserver((list) => tasks.push(...list.getEntries().map((e) => e.duration))).observe({ type: "longtask", buffered: true });
"""
DRAWN = """() => { const image = document.querySelector("#wall img");
    return image !== null && image.complete && !image.dataset.late && image.naturalWidth > 0; }"""
SETTLED = "() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 100)))"


def get(server: Server, path: str) -> float:
    """Milliseconds of a GET, as a browser's or the API's."""
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=120)
    headers = {"Authorization": f"Bearer {server.token}", "Accept": "text/html,application/json"}
    began = time.perf_counter()
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 200, f"{path}: {answer.status}"
    return 1000 * (time.perf_counter() - began)


def login_of(server: Server) -> str:
    """A link that logs a browser in."""
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=60)
    connection.request("POST", "/api/v1/logins", headers={"Authorization": f"Bearer {server.token}"})
    return str(json.loads(connection.getresponse().read())["login"])


def use(page: Page) -> dict[str, float]:
    """How a wall that is drawn answers keys and the wheel."""
    page.evaluate(SETTLED)
    page.evaluate("keys.length = tasks.length = 0")
    page.focus("#wall a")
    for key in ["ArrowRight", "ArrowDown", "ArrowDown", "ArrowLeft", "ArrowUp"] * 4:
        page.keyboard.press(key)
        page.evaluate(SETTLED)
    page.keyboard.press("/")
    for letter in "stone 12":
        page.keyboard.press(letter)
        page.evaluate(SETTLED)
    page.fill("#query", "")
    page.evaluate(SETTLED)
    page.select_option("#sort", "label")
    page.evaluate(SETTLED)
    slowest = max([0.0, *page.evaluate("keys")])
    page.evaluate("tasks.length = 0")
    page.mouse.move(1000, 700)
    for _ in range(60):
        page.mouse.wheel(0, 900)
        page.wait_for_timeout(16)
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight / 2)")
    page.evaluate(SETTLED)
    return {"key": slowest, "task": max([0.0, *page.evaluate("tasks")])}


def open_page(browser: Browser, address: str, login: str | None = None) -> dict[str, float]:
    """How soon a wall is usable, and how it answers then."""
    context = browser.new_context(viewport=VIEWPORT)
    page = context.new_page()
    if login is not None:
        page.goto(login)
    page.add_init_script(WATCH)
    began = time.perf_counter()
    page.goto(address, wait_until="commit", timeout=PATIENCE)
    page.wait_for_function(DRAWN, timeout=PATIENCE)
    usable = 1000 * (time.perf_counter() - began)
    found = {"usable": usable, **use(page)}
    context.close()
    return found


def measure_wall(browser: Browser, root: Path, name: str, repeats: int) -> dict[str, float]:
    """A wall of a run, by a server that has just started."""
    classes, size, colour = WALLS[name]
    make_run(root / "run", classes, size, colour)  # type: ignore[arg-type]
    make_run(root / "other", 2, 8, "grey")
    with Server(root) as server:
        jobs = {job.name: job for job in server.client.runs()}
        get(server, f"/runs/{jobs['other'].id}")  # what the server imports with its first run is no run's
        get(server, f"/api/v1/runs/{jobs['other'].id}/columns")
        job = jobs["run"]
        first = get(server, f"/runs/{job.id}")
        before = server.megabytes
        columns = get(server, f"/api/v1/runs/{job.id}/columns")
        found = {
            "first page": first,
            "page": statistics.median(get(server, f"/runs/{job.id}") for _ in range(10)),
            "columns, first": columns,
            "columns, again": get(server, f"/api/v1/runs/{job.id}/columns"),
            "megabytes": server.megabytes - before,
        }
        opened = [open_page(browser, f"{server.url}/runs/{job.id}", login_of(server)) for _ in range(repeats)]
    shutil.rmtree(root)
    return found | {key: statistics.median(each[key] for each in opened) for key in opened[0]}


def measure_gallery(browser: Browser, root: Path, classes: int) -> dict[str, float]:
    """A gallery on a disk of direct images of the size of ImageNet's."""
    make_run(root / "run", classes, 256, "rgb", "direct")
    size = write_gallery([open_run(root / "run")], root / "gallery.html")
    shutil.rmtree(root / "run")
    opened = open_page(browser, (root / "gallery.html").as_uri())
    shutil.rmtree(root)
    return {"megabytes": size / 1e6, **opened}


def main(given: argparse.Namespace) -> None:
    """All of it, in folders that are thrown away."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name in WALLS:
            found[name] = measure_wall(browser, Path(folder) / "wall", name, 1 if given.quick else 3)
        images = 100 if given.quick else 1000
        gallery = measure_gallery(browser, Path(folder) / "gallery", images)
        browser.close()
    rows = [
        [name, *(f"{each[key]:.0f} ms" for key in ("page", "columns, first", "columns, again", "usable", "key", "task")),
         f"{each['megabytes']:.0f} MB"]
        for name, each in found.items()
    ]  # fmt: skip
    head = [
        "wall of",
        "page",
        "columns, first",
        "again",
        "usable",
        "slowest key",
        "longest task",
        "memory for it",
    ]
    disk = [
        [f"{gallery['megabytes']:.0f} MB", *(f"{gallery[key]:.0f} ms" for key in ("usable", "key", "task"))]
    ]
    tables = {
        "The page of a run": markdown(head, rows),
        f"The gallery on a disk: {images:,} direct images of 256 x 256": markdown(
            ["file", "usable", "slowest key", "longest task"], disk
        ),
    }
    save("pages", {"walls": found, "gallery": gallery}, tables, given.quick)


if __name__ == "__main__":
    main(arguments(parser(__doc__)))
