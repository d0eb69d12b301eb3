"""Every view, in every width, of every run: it fits its window, a screen reader can use it, and its scripts complain of
nothing."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import Visit
from tests.browser.serving import HARD_LABELS, Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

WIDTHS = (360, 900, 1600)
# A view and what is there as soon as it is drawn; `{name}` is the id of the run of that name.
VIEWS = {
    "runs": ("/", "#cards .run-card"),
    "new run": ("/new", "#presets button"),
    "new run from a run": ("/new?from={digits}", "#presets button"),
    "run": ("/runs/{digits}", "#wall li"),
    "elite": ("/runs/{digits}/elites/3", "#graph .node"),
    "elite of hard labels": ("/runs/{hard-labels}/elites/1", "#pixels"),
    "compare": ("/compare?runs={digits},{two-classes}", "#wall li"),
    "studies": ("/studies", "#transfer"),
    "breed": ("/breed", "#children li"),
    "blind": ("/blind/{digits}", "#begin"),
    "run of hard labels": ("/runs/{hard-labels}", "#wall li"),
    "run of two classes": ("/runs/{two-classes}", "#wall li"),
    "run of a thousand": ("/runs/{thousand}", "#wall li"),
    "run that failed": ("/runs/{failed}", "#wall li"),
    "run without an elite": ("/runs/{empty}", "#none"),
    "blind of hard labels": ("/blind/{hard-labels}", "#begin"),
    "blind without an elite": ("/blind/{empty}", "h1"),
}


def shown(site: Site, view: str) -> tuple[str, str]:
    """The path of a view, and what is there when it is drawn."""
    path, there = VIEWS[view]
    return path.format_map({job["name"]: job["id"] for job in site.jobs()}), there


def violations(page: Page) -> list[str]:
    """What axe-core finds serious or critical."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{one['id']}: {one['help']}: {node['html'][:200]} {node.get('failureSummary', '')[:200]}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"][:3]
    ]


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_fits_every_window_and_can_be_read_by_all(site: Site, visit: Visit, view: str) -> None:
    """A failure is a page that can't be used on a phone, or by somebody who can't see it."""
    path, there = shown(site, view)
    page = visit(path, width=WIDTHS[0], height=700)
    page.wait_for_selector(there, state="visible")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        page.wait_for_function(
            "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"
        )
        beyond = page.evaluate(
            """() => [...document.querySelectorAll("body *")].filter((node) => node.getBoundingClientRect().right >
            document.documentElement.clientWidth + 1).slice(0, 5).map((node) => node.outerHTML.slice(0, 120))"""
        )
        wider = page.evaluate(
            "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert wider <= 0, (width, beyond)
    assert page.title() != "hacked"
    assert violations(page) == []


def test_labels_are_texts(site: Site, visit: Visit) -> None:
    """A failure runs a label as a script, or loses it."""
    page = visit(f"/runs/{site.id('hard-labels')}")
    page.wait_for_selector("#wall li")
    said = page.locator("#wall").inner_text()
    for label in HARD_LABELS:
        assert label[:30].strip() in said, label
