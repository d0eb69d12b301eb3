"""One server and one Chromium for all tests in a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

from tests.browser.serving import WITHIN, Site, copy_run, make_album, make_hard_runs

Visit = Callable[..., Page]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, small_run: tuple[Path, dict[str, Any]]) -> Iterator[Site]:
    """A server with a small run (`digits`), runs that are hard to show, and real images. Tests may add runs."""
    root = tmp_path_factory.mktemp("site") / "runs"
    root.mkdir()
    copy_run(small_run[0], root / "digits")
    make_hard_runs(root)
    found = Site(root, "--samples", str(make_album(tmp_path_factory.mktemp("album"))))
    yield found
    found.close()


# Of a module and not of the session: while Playwright runs, no other test could have an event loop of its own.
@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # SwiftShader draws WebGL where there is no GPU.
        options = ["--no-sandbox", "--enable-unsafe-swiftshader"]
        found = playwright.chromium.launch(executable_path=chromium, args=options)
        yield found
        found.close()


@pytest.fixture(scope="module")
def context_of(browser: Browser, site: Site) -> Iterator[Callable[..., BrowserContext]]:
    """`context_of(width=, height=, dark=)`: a browser that is logged in; the same one for the same window."""
    contexts: dict[Any, BrowserContext] = {}

    def make(width: int = 1280, height: int = 900, dark: bool = False) -> BrowserContext:
        key = width, height, dark
        if key not in contexts:
            scheme: Any = "dark" if dark else "light"
            made = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
            made.set_default_timeout(1000 * WITHIN)
            made.add_cookies(site.cookies())  # type: ignore[arg-type]
            contexts[key] = made
        return contexts[key]

    yield make
    for context in contexts.values():
        context.close()


@pytest.fixture
def visit(context_of: Callable[..., BrowserContext], site: Site) -> Iterator[Visit]:
    """`visit(path, width=, height=, dark=)`: a page, whose scripts may complain of nothing and ask no other host."""
    complaints: list[str] = []
    pages: list[Page] = []

    def open_page(path: str, **window: Any) -> Page:
        page = context_of(**window).new_page()
        pages.append(page)
        watch(page, site.url, complaints)
        page.goto(site.url + path)
        return page

    yield open_page
    for page in pages:
        page.close()
    assert not complaints, "\n".join(complaints)


def watch(page: Page, url: str, complaints: list[str]) -> None:
    """Note what the page's scripts complain of, and requests to other hosts."""

    def heard(said: ConsoleMessage) -> None:
        if said.type == "error":
            complaints.append(f"{page.url}: {said.text}")

    def asked(request: Request) -> None:
        if not request.url.startswith((f"{url}/", "data:", "blob:")):
            complaints.append(f"{page.url} asked {request.url}")

    page.on("console", heard)
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
    page.on("request", asked)
