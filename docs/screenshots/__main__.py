"""Take the pictures: `python -m docs.screenshots [--out DIR] [--runs DIR] [VIEW ...]`.

Each view is taken light and dark, in a wide window and on a phone; hard cases wide and light, and dark on a phone. With the benchmarks' assets (FOOLING_ASSETS) the runs
are of an ImageNet network, else of the digits network that comes along.
"""

from __future__ import annotations

import argparse
import io
import shutil
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from docs.screenshots.views import VIEWS, Runs, View, begin_runs
from tests.browser.serving import WITHIN, Site

OUT = Path(__file__).resolve().parents[1] / "images" / "pages"
WINDOWS = {"wide": (1280, 800), "phone": (360, 720)}
SCHEMES = ("light", "dark")
_QUALITY = 60  # of WebP


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=OUT, help="the folder to write to")
    parser.add_argument(
        "--runs", type=Path, help="a folder of runs that need not be made: views.py names them"
    )
    parser.add_argument("views", nargs="*", metavar="VIEW", help=f"only these: {', '.join(VIEWS)}")
    given = parser.parse_args()
    wanted = {name: VIEWS[name] for name in given.views or VIEWS}
    given.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        site, runs = begin_runs(Path(folder), given.runs)
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--enable-unsafe-swiftshader"]
        )
        try:
            for name, view in wanted.items():
                for scheme in SCHEMES:
                    for window in WINDOWS:
                        if view.hard and (scheme, window) not in (("light", "wide"), ("dark", "phone")):
                            continue
                        picture = _taken(browser, site, runs, view, scheme, window)
                        path = given.out / f"{name}-{scheme}-{window}.webp"
                        picture.save(path, quality=_QUALITY)
                        print(path, f"{path.stat().st_size / 1000:.0f} kB", flush=True)
        finally:
            browser.close()
            site.close()


def _taken(browser: Browser, site: Site, runs: Runs, view: View, scheme: Any, window: str) -> Image.Image:
    """A view, as it is seen in a window."""
    width, height = WINDOWS[window]
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
    )
    context.set_default_timeout(1000 * WITHIN)
    context.add_cookies(site.cookies())  # type: ignore[arg-type]
    try:
        page: Page = context.new_page()
        page.goto(site.url + view.path.format_map(runs))
        page.locator(view.there).first.wait_for()
        view.act(page)
        _settle(page)
        shot = Image.open(io.BytesIO(page.screenshot()))
    finally:
        context.close()
    return shot.convert("RGB")


def _settle(page: Page) -> None:
    """Wait until every image that can be seen is there."""
    page.wait_for_function(
        "() => [...document.images].every((image) => image.complete || image.loading === 'lazy')"
    )
    page.wait_for_timeout(400)
    page.mouse.move(0, 0)


if __name__ == "__main__":
    main()
