"""What a shifter does, in a browser, while a run goes on. The tests go on from one to the next, as a shift does."""

from __future__ import annotations

import csv
import json
import re

from playwright.sync_api import Page, expect

from conftest import Live


def number_in(text: str) -> int:
    """The number at the beginning of a text, whose thousands may be apart."""
    return int(re.sub(r"\D", "", text.partition("/")[0]))


def test_a_run_is_watched_live(page: Page, live: Live) -> None:
    page.goto("/")
    card = page.get_by_role("article", name=f"Run {live.run}")
    expect(card).to_contain_text("SIMULATED")
    done = card.locator(".stage", has_text="processed").locator(".value")
    expect(done).not_to_have_text(re.compile(r"^0"))
    before = number_in(done.inner_text())
    # Nothing is loaded again by hand: the page renews itself.
    page.evaluate("window.notLoadedAgain = true")
    page.wait_for_function(
        """before => {
            const stages = [...document.querySelectorAll(".stage")];
            const stage = stages.find((each) => each.textContent.includes("processed"));
            if (!stage) return false;
            const done = stage.querySelector(".value").textContent.split("/")[0];
            return Number(done.replace(/\\D/g, "")) > before;
        }""",
        arg=before,
    )
    assert page.evaluate("window.notLoadedAgain")


def test_the_slice_that_failed_is_found_and_why(page: Page, live: Live) -> None:
    page.goto(f"/runs/{live.run}")
    failed = page.locator("#slices").get_by_role("link", name=live.failing)
    failed.first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(live.failing)
    page.get_by_role("link", name="Why?").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("failed")
    page.get_by_text("its end").first.click()
    # What the payload wrote is text, whatever it looks like.
    expect(page.get_by_text("the calibration of the tracker is missing <b>&amp;</b>").first).to_be_visible()


def test_it_is_tried_again_once_the_cause_is_gone(page: Page, live: Live) -> None:
    live.repair()
    page.goto(f"/slices/{live.failing}")
    page.get_by_label("Reason to try again").fill("the calibration is there now")
    page.get_by_role("button", name="Try again").click()
    page.wait_for_url(f"**/slices/{live.failing}")
    title = page.locator(".title .badge", has_text="completed")
    while not title.count():
        page.reload()
    expect(title).to_be_visible()
    page.goto("/admin")
    expect(page.get_by_text("the calibration is there now").first).to_be_visible()


def test_messages_are_filtered_followed_and_paused(page: Page, live: Live) -> None:
    page.goto("/messages")
    page.get_by_label("Type", exact=True).fill("stf_gen")
    page.get_by_role("button", name="Show").click()
    assert "type=stf_gen" in page.url
    rows = page.locator("#rows tr")
    expect(rows.first).to_contain_text("stf_gen")
    first = int(rows.first.locator("td").first.inner_text())
    page.wait_for_function("first => Number(document.querySelector('#rows td').textContent) > first + 1", arg=first)
    shown = [int(text) for text in page.locator("#rows tr td:first-child").all_inner_texts()]
    # The DAQ numbers what it sends: none is left out, and none comes twice.
    assert shown == sorted(set(shown), reverse=True)
    names = page.locator("#rows tr td:nth-child(6)").all_inner_texts()
    sequences = [int(name.split(".")[2]) for name in names]
    assert sequences == list(range(sequences[0], sequences[0] - len(sequences), -1))
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Go on")).to_be_visible()
    expect(page.locator("[data-tail-state]")).to_have_text("paused")


def test_a_whole_list_is_taken_home(page: Page, live: Live) -> None:
    page.goto(f"/slices?run={live.run}&status=completed")
    with page.expect_download() as waited:
        page.get_by_role("link", name="CSV").click()
    lines = list(csv.DictReader(waited.value.path().read_text().splitlines()))
    assert {line["status"] for line in lines} == {"completed"}
    assert len({line["name"] for line in lines}) == len(lines) > 1
    with page.expect_download() as waited:
        page.get_by_role("link", name="JSON").click()
    again = json.loads(waited.value.path().read_text())
    assert {line["name"] for line in lines} <= {line["name"] for line in again}


def test_a_list_says_what_is_wrong_with_a_question(page: Page, live: Live) -> None:
    answer = page.request.get(f"{live.address}/slices?staus=failed")
    assert answer.status == 422
    assert "staus" in answer.text()
    assert "status" in answer.text()


def test_a_run_is_judged_with_a_reason(page: Page, live: Live) -> None:
    page.goto(f"/runs/{live.run}#comments")
    page.get_by_label("Comment, or the reason of a verdict").fill("seen <script>alert(1)</script>, looks right")
    page.get_by_role("button", name="Data are good").click()
    comments = page.locator("#comments")
    expect(comments).to_contain_text("seen <script>alert(1)</script>, looks right")
    expect(page.locator(".title")).to_contain_text("good")


def test_the_run_is_stopped_and_closed_by_its_ledger(page: Page, live: Live) -> None:
    page.goto(f"/runs/{live.run}")
    page.get_by_text("Stop or pause this run").click()
    page.get_by_label("Reason to stop").fill("end of the shift")
    page.get_by_role("button", name="Stop the run").click()
    expect(page.locator("#live .title")).to_contain_text("closed", timeout=240_000)
    expect(page.locator("#ledger")).to_contain_text("complete")
    expect(page.locator("#ledger")).to_contain_text("0 missing")
