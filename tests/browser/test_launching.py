"""Launching from the form, and the page of all runs: what a person who never reads a config does first."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.serving import ENDLESS, Site
from tests.browser.test_tour import is_marked, mark

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_a_run_is_launched_moves_is_cancelled_and_deleted(site: Site, visit: Visit) -> None:
    """The form says what is wrong beside the field, shows the config and the command, and launches; the card moves without a
    reload, and its buttons ask before they destroy. A failure keeps a newcomer out."""
    page = visit("/new?preset=first-look")
    generations = page.get_by_label("Generations", exact=True)
    generations.fill("-3")
    expect(page.locator('[data-key="search.generations"] .wrong')).to_have_text(
        "Expected 0 or more, found -3."
    )
    generations.fill("1000000")
    expect(page.locator("#config")).to_contain_text("generations = 1000000")
    expect(page.locator("#command")).to_contain_text("--set search.generations=1000000")
    page.locator("label[for=encoding-direct]").click()
    expect(page.locator("#config")).to_contain_text('name = "direct"')
    page.locator("label[for=encoding-cppn]").click()
    page.get_by_label("Label", exact=True).fill("launched by hand")
    expect(page.locator("#config")).to_contain_text("generations = 1000000")
    page.wait_for_url("**label=launched**")  # the address keeps the form
    page.reload()
    expect(page.get_by_label("Label", exact=True)).to_have_value("launched by hand")
    page.get_by_role("button", name="Launch the run").click()
    page.wait_for_url(re.compile("/runs/[0-9a-f]{20}$"))
    id = page.url.rpartition("/")[2]
    page.close()  # the run is deleted below; a browser complains of what it asks for after that

    runs = visit("/?q=by+hand")
    mark(runs)
    card = runs.locator(f'#cards [data-id="{id}"]')
    told = card.locator(".run-told")
    expect(told).to_contain_text("generation")
    before = told.inner_text()
    expect(told).not_to_have_text(before)

    first, second = (site.launch(label=f"waits {number}", set=ENDLESS) for number in (1, 2))
    waiting = runs.locator("#queue li[draggable]", has_text="waits ")
    expect(waiting).to_have_count(2)
    runs.locator(f'#queue [data-id="{second}"] .earlier').focus()
    runs.keyboard.press("ArrowUp")
    expect(waiting.first).to_have_attribute("data-id", second)
    expect(runs.locator("#moved")).to_contain_text("is number 1 of")
    waiting.nth(1).drag_to(waiting.nth(0), target_position={"x": 20, "y": 2})
    expect(waiting.first).to_have_attribute("data-id", first)
    for run in (first, second):
        site.api(f"/api/v1/runs/{run}/cancel", {})
    expect(waiting).to_have_count(0)

    card.get_by_role("button", name="Cancel").click()
    runs.get_by_role("dialog").get_by_role("button", name="Keep").click()
    card.get_by_role("button", name="Cancel").click()
    runs.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(card.locator(".state")).to_have_text("cancelled")
    card.get_by_role("button", name="Delete").click()
    runs.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(card).to_have_count(0)
    expect(runs.locator("#nothing")).to_be_visible()
    assert is_marked(runs)
