"""The page of an elite, as a person uses it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.serving import WITHIN, Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

PIXELS = "(canvas) => canvas.toDataURL()"


def settled(page: Page) -> None:
    """Wait for the classifier's five best answers: its process may have to start."""
    expect(page.locator("#bars li")).to_have_count(5, timeout=1000 * WITHIN)


def test_an_elite_by_keyboard_and_slider(site: Site, visit: Visit) -> None:
    """A failure shows another image than the one that was classified, or a classifier that does not follow a weight."""
    page = visit(f"/runs/{site.id('digits')}")
    page.locator("#wall li a").first.click()
    page.wait_for_url("**/elites/*")
    expect(page.locator("#checked")).to_contain_text("held against the server's image")
    settled(page)
    first, sure = page.url, page.locator("#sure").inner_text()
    page.keyboard.press("ArrowRight")
    page.wait_for_url(lambda url: "/elites/" in url and url != first)
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(first)
    settled(page)

    pixels = page.locator("#pixels")
    before = pixels.evaluate(PIXELS)
    nodes = page.locator("#graph .node")
    assert nodes.count() >= 5
    slider = page.locator("#weights input").first
    slider.focus()
    for _ in range(4):
        page.keyboard.press("PageDown")
    assert pixels.evaluate(PIXELS) != before
    expect(page.locator("#answers-note")).to_contain_text("1 changed weight")
    expect(page).to_have_url(re.compile(r"w=\d+:-?\d"))
    again = visit(page.url.removeprefix(site.url))
    expect(again.locator("#answers-note")).to_contain_text("1 changed weight")
    assert again.locator("#sure").inner_text() == page.locator("#sure").inner_text()
    page.locator("h1").click()
    page.keyboard.press("r")
    expect(page.locator("#sure")).to_have_text(sure)
    assert pixels.evaluate(PIXELS) == before

    page.keyboard.press("v")
    drawn = page.locator("#drawn")
    expect(drawn).to_be_visible()
    whole = drawn.evaluate(PIXELS)
    page.keyboard.press("+")
    expect(page.locator("#zoom")).to_have_text("1.5×")
    expect(page).to_have_url(re.compile(r"at="))
    assert drawn.evaluate(PIXELS) != whole
    page.keyboard.press("Escape")
    page.wait_for_url(f"**/runs/{site.id('digits')}*")


def test_what_another_model_says_and_where_the_elite_came_from(site: Site, visit: Visit) -> None:
    """A failure is a button that does nothing, or a line without its ancestors."""
    page = visit(f"/runs/{site.id('digits')}/elites/7")
    page.locator("#others button").first.click()
    told = page.locator(".other-told").first
    expect(told).to_contain_text("first", timeout=1000 * WITHIN)
    expect(told.locator(".bars li")).to_have_count(5)
    page.locator("#story-title").scroll_into_view_if_needed()
    last = page.locator("#line-list .frames li").last
    expect(last).to_be_visible()
    assert page.locator("#history-plot .stair").count() >= 1
