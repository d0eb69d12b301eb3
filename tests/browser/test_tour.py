"""What a person does from the first page on, in a real browser beside a real server. A failure is something that they
can't do."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.serving import ENDLESS, WITHIN, Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

expect.set_options(timeout=1000 * WITHIN)


def mark(page: Page) -> None:
    """Leave a mark in a page, which a reload would take away."""
    page.evaluate("() => { window.mark = true; }")


def is_marked(page: Page) -> bool:
    """Whether the page is still the one that was marked."""
    return bool(page.evaluate("() => window.mark === true"))


def test_a_run_moves_before_the_eyes_and_is_cancelled(site: Site, visit: Visit) -> None:
    """Progress is seen without a reload, in all of seven tabs; Cancel asks first, and ends it."""
    run = site.launch(label="endless", set=ENDLESS)
    tabs = [visit(f"/runs/{run}") for _ in range(7)]
    for tab in tabs:
        mark(tab)
        expect(tab.locator("#wall li").first).to_be_visible()
        before = tab.locator("#told").inner_text()
        expect(tab.locator("#told")).not_to_have_text(before)
    page = tabs[0]
    page.bring_to_front()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    for tab in tabs:
        expect(tab.locator("#state")).to_have_text("cancelled")
        assert is_marked(tab)


def test_the_wall_is_walked_by_keyboard(site: Site, visit: Visit) -> None:
    """`/` filters, arrows move, and the address keeps what is seen."""
    page = visit(f"/runs/{site.id('digits')}")
    expect(page.locator("#wall li")).to_have_count(10)
    page.keyboard.press("/")
    page.keyboard.type("7")
    expect(page.locator("#wall li")).to_have_count(1)
    expect(page.locator("#count")).to_have_text("1 of 10 classes")
    page.wait_for_url("**q=7")
    page.reload()
    expect(page.locator("#wall li")).to_have_count(1)
    page.locator("#query").fill("")
    expect(page.locator("#wall li")).to_have_count(10)
    page.keyboard.press("Escape")
    page.locator("#wall a").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#wall a:focus")).to_have_count(1)
    page.keyboard.press("Enter")
    page.wait_for_url("**/elites/*")


def test_an_elite_is_zoomed_and_its_weights_are_moved(site: Site, visit: Visit) -> None:
    """The image grows without end, and the classifier says at once what a weight does."""
    page = visit(f"/runs/{site.id('digits')}/elites/3")
    page.locator("#as-drawn").click()
    page.locator("#zoom-in").click()
    expect(page.locator("#zoom")).not_to_have_text("1×")
    sure = page.locator("#sure")
    before = sure.inner_text()
    weight = page.locator("#weights input").first
    weight.focus()
    for _ in range(3):
        weight.press("PageUp")
    expect(page.locator("#reset")).to_be_enabled()
    expect(page.locator("#answers-note")).to_contain_text("changed")
    page.wait_for_url("**w=**")
    page.locator("#reset").click()
    expect(sure).to_have_text(before)


def test_images_are_shown_to_another_classifier(site: Site, visit: Visit) -> None:
    """A transfer is asked for and answered without a reload, and a cell opens the images behind it."""
    page = visit(f"/studies?runs={site.id('digits')}")
    page.get_by_label("builtin:mlp").check()
    page.get_by_role("button", name="Ask").click()
    cell = page.locator("#matrix td[data-cell]").first
    expect(cell).to_contain_text("%")
    cell.click()
    expect(page.locator("#answers img").first).to_be_visible()


def test_two_generations_are_bred(site: Site, visit: Visit) -> None:
    """A child is picked, its children are picked from, and Back leads back."""
    page = visit(f"/breed?from={site.id('digits')}/3")
    children = page.locator("#children button.child")
    for generation in (1, 2):
        children.nth(generation).click()
        page.locator("#go").click()
        expect(page.get_by_text(f"Generation {generation}.")).to_be_visible()
    expect(page.locator("#children .said b").first).to_be_visible()
    page.locator("#back").click()
    expect(page.get_by_text("Generation 1.")).to_be_visible()


def test_runs_are_compared(site: Site, visit: Visit) -> None:
    """Two runs stand side by side, class by class."""
    page = visit(f"/compare?runs={site.id('digits')},{site.id('two-classes')}")
    expect(page.locator("#wall li").first).to_be_visible()
    expect(page.locator("#chosen li")).to_have_count(2)


def test_a_person_says_what_they_see(site: Site, visit: Visit) -> None:
    """Five images are answered by keyboard, the session is left and continued, and the truth comes at the end."""
    run = site.id("digits")
    page = visit(f"/blind/{run}")
    page.get_by_label("Images").select_option("10")
    page.get_by_label("Your name").fill("Ann")
    page.get_by_role("button", name="Begin").click()
    told = page.locator("#progress-text")
    for number, key in enumerate(["3", "-", "0", "7", "-"], 1):
        expect(told).to_have_text(f"Image {number} of 10")
        assert page.locator("#shown").get_attribute("src").endswith(f"/{number - 1}.png")  # type: ignore[union-attr]
        page.keyboard.press(key)
    expect(told).to_have_text("Image 6 of 10")
    page.goto(f"{site.url}/blind/{run}")
    page.get_by_role("link", name="Go on where you left").click()
    for number in range(6, 11):
        expect(told).to_have_text(f"Image {number} of 10")
        page.keyboard.press("-")
    expect(page.locator("#truths li")).to_have_count(10)
    expect(page.get_by_text("you said 7")).to_have_count(1)
    expect(page.locator("#score")).to_contain_text("of 5")
    page.get_by_role("link", name="Back to the run").click()
    expect(page.locator(".panel")).to_contain_text("People recognised")
    people = site.api(f"/api/v1/runs/{run}")["people"]
    assert (people["naming"]["elites"]["answers"], people["naming"]["real"]["answers"]) == (5, 5)
