"""What a run's page does while the run goes on, and the film of an elite's ancestors."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Visit
from tests.browser.serving import ENDLESS, WITHIN, Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

expect.set_options(timeout=1000 * WITHIN)


def _order(page: Page) -> list[str]:
    """The classes on the wall, in their order."""
    found: list[str] = page.locator("#wall li").evaluate_all(
        "cards => cards.map(card => card.dataset.position)"
    )
    return found


def test_new_elites_take_their_places_and_move_nothing(site: Site, visit: Visit) -> None:
    """A failure moves the image away under the finger of whoever wanted to open it."""
    run = site.launch(label="frozen", set=ENDLESS)
    site.wait(lambda: (site.api(f"/api/v1/runs/{run}")["generations"] or 0) > 0)
    page = visit("/")
    asked = []

    def turned(route: Route) -> None:
        """The first time, the elites of an earlier generation: the classes in the reverse order of their confidence."""
        asked.append(route.request.url)
        if len(asked) > 1:
            route.continue_()
            return
        columns = route.fetch().json()
        order = sorted(range(10), key=lambda place: columns["confidence"][place])
        for rank, place in enumerate(order):
            columns["confidence"][place] = 0.5 - rank / 100
        columns |= {"generation": 0, "child": [number + 1_000_000 for number in columns["child"]]}
        route.fulfill(body=json.dumps(columns), content_type="application/json")

    page.route("**/columns", turned)
    page.goto(f"{site.url}/runs/{run}")
    expect(page.locator("#wall li")).to_have_count(10)
    before = _order(page)
    page.locator("#wall a").nth(3).focus()
    expect(page.locator("#wall li.fresh")).to_have_count(10)
    assert _order(page) == before
    focused = page.locator("#wall li").nth(3)
    expect(focused.locator("a:focus")).to_have_count(1)
    page.get_by_role("button", name="Order again").click()
    expect(page.locator("#again")).to_be_hidden()
    assert _order(page) != before
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#state")).to_have_text("paused")
    site.api(f"/api/v1/runs/{run}/cancel", {})
    expect(page.locator("#state")).to_have_text("cancelled")


def test_the_strip_leads_to_a_class_and_its_film_to_the_noise_it_came_from(site: Site, visit: Visit) -> None:
    """Both by keyboard, and the film has an address."""
    page = visit(f"/runs/{site.id('digits')}")
    expect(page.locator("#wall li")).to_have_count(10)
    page.locator("#strip").focus()
    for key in ("Home", "ArrowRight", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    expect(page.locator("#strip-text")).to_contain_text("3 3:")
    page.keyboard.press("Enter")
    expect(page.locator('#wall li[data-position="3"] a:focus')).to_have_count(1)
    page.keyboard.press("f")
    expect(page.locator("#film-screen img")).to_be_visible()
    page.keyboard.press("Home")
    expect(page.locator("#film-text")).to_contain_text("Generation 0,")
    first = page.locator("#film-screen img").get_attribute("src")
    page.keyboard.press("End")
    expect(page.locator("#film-text")).to_contain_text("the elite of “3”")
    assert page.locator("#film-screen img").get_attribute("src") != first
    page.wait_for_url("**open=3")
    page.reload()
    expect(page.locator("#film")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#film")).to_be_hidden()
    page.locator('#wall li[data-position="3"] a').focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/elites/3")
