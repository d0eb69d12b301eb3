"""What a person chooses on the pages of comparisons, transfers and breeding stays in the address, and leads to what was asked
for. A failure loses somebody's choices."""

from __future__ import annotations

import re
import shutil

import pytest
from playwright.sync_api import expect

from fooling.present.transfer.folder import PAGE, write
from fooling.studies.transfer.study import Request, study
from tests.browser.conftest import Visit
from tests.browser.serving import WITHIN, Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

expect.set_options(timeout=1000 * WITHIN)


def test_a_line_is_bred_by_keyboard_branched_and_saved(site: Site, visit: Visit) -> None:
    """Picks, rejections and the size of mutations are in the address; a branch leaves the first line in the tree; and what
    is saved is a run like any other."""
    page = visit("/breed?seed=3&model=builtin:lenet&colour=grey")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("x")
    page.keyboard.press("]")
    page.wait_for_url("**now=1x2m55")
    page.reload()
    expect(page.locator("#chosen-text")).to_have_text("1 picked, 1 rejected")
    page.keyboard.press("b")
    page.wait_for_url("**steps=1x2m55")
    page.locator("#back").click()
    page.wait_for_url(re.compile(r"now=1x2m55$"))
    page.locator("[data-child='5'].child").click()
    page.locator("#go").click()
    page.wait_for_url("**steps=1.5x2m55")
    expect(page.locator("#tree a")).to_have_count(4)  # two steps, and what each led to
    page.locator("#save").click()
    page.wait_for_url("**/runs/*")
    id = page.url.rpartition("/")[2]
    site.wait_for(id, "completed")
    found = site.api(f"/api/v1/runs/{id}")
    assert found["config"]["search"] == {"name": "breed", "line": "1.5x2m55", "genotype": None}
    expect(page.locator("#wall li").first).to_be_visible()


def test_the_difference_of_two_runs_is_tested_by_a_button(site: Site, visit: Visit) -> None:
    """The answer of the study appears on the page that it was asked on."""
    shutil.copytree(site.root / "digits", site.root / "digits-again")
    site.wait(lambda: any(job["name"] == "digits-again" for job in site.jobs()))
    page = visit(f"/compare?runs={site.id('digits')},{site.id('digits-again')}")
    page.get_by_role("button", name="Test the difference").click()
    expect(page.locator("#tests")).to_contain_text("forward passes, which every run has made")
    page.locator("#sort").select_option("difference")
    page.wait_for_url(re.compile(r"runs=[0-9a-f,%C]+&sort=difference"))


def test_a_transfer_on_a_disk_is_walked_by_keyboard(small_run, browser, tmp_path) -> None:
    """Its page needs no server: a cell is reached by arrows, tells its interval, and opens the images behind it."""
    result = study(Request(runs=(small_run[0],), to=("builtin:lenet", "builtin:mlp")))
    write(result, tmp_path / "out")
    page = browser.new_page()
    page.goto((tmp_path / "out" / PAGE).as_uri())
    page.locator("#matrix [data-cell='0-0']").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#cell-text")).to_contain_text("builtin:mlp gives")
    page.keyboard.press("Enter")
    page.wait_for_url("**#by=1")
    expect(page.locator("#answers > li")).to_have_count(10)
    shares = page.locator("#answers .by bdi").all_inner_texts()
    assert len(shares) == 10
    page.close()
