"""The web page in a real Chromium: what people see, press and read, and what remembered text cannot do to them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mnemic import Memory

axe = pytest.importorskip("axe_playwright_python.sync_playwright")
playwright = pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, Page, expect  # noqa: E402

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None and "CI" not in os.environ, reason="there is no Chromium on this machine"
)

EVIL = '<img src=x onerror="window.hurt=1"><script>window.hurt=2</script> [a](javascript:window.hurt=3) I live in Rome.'
PARTS = ("search", "timeline", "subjects", "conflicts", "given", "usage")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with playwright.sync_playwright() as started:
        found = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    file = tmp_path / "agent.db"
    with Memory(file) as memory:
        said = [
            ("2026-03-02T09:00Z", "I live in Utrecht, and I'm allergic to walnuts."),
            ("2026-04-19T10:00Z", "We moved to Antwerp last week. My sister Clara works at Bosch."),
            ("2026-05-01T10:00Z", "I am from Porto."),
            ("2026-05-02T10:00Z", "I am from Braga."),
        ]
        for time, text in said:
            memory.add({"role": "user", "name": "Ana", "content": text, "time": time}, user_id="ana")
        memory.add({"role": "user", "name": "Eve <b>", "content": EVIL}, user_id="eve")
        memory.upkeep(everything=True)
    command = [sys.executable, "-m", "mnemic", "ui", "--file", str(file), "--user", "ana", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        found = None
        for line in server.stderr:
            if found := re.search(r"the page is at (\S+)", line):
                break
        assert found is not None, "the server did not start"
        yield found[1]
        server.terminate()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    context = browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 900})
    shown = context.new_page()
    faults: list[str] = []
    asked: list[str] = []
    shown.on("console", lambda message: faults.append(message.text) if message.type in ("error", "warning") else None)
    shown.on("pageerror", lambda error: faults.append(str(error)))
    shown.on("request", lambda request: asked.append(request.url))
    shown.goto(address)
    shown.wait_for_selector("main .records li")
    yield shown
    context.close()
    assert [fault for fault in faults if "409" not in fault] == []
    assert {url.split("/")[2] for url in asked} == {address.split("/")[2]}, "it asks its own server and nobody else"


def to(page: Page, part: str) -> None:
    page.evaluate("part => { location.hash = `#/${part}` }", part)
    page.wait_for_selector("main h1")
    page.wait_for_load_state("networkidle")


def test_a_question_is_answered_with_reasons(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("Where does Ana live?")
    hit = page.locator("#hits > li").first
    expect(hit.locator(".words")).to_have_text("Ana lives in Antwerp.")
    hit.get_by_text("Why this one?").click()
    expect(hit.get_by_text("Because of")).to_be_visible()
    expect(hit.get_by_text("Place 1 of")).to_be_visible()


def test_a_record_shows_its_evidence_its_history_and_what_is_around_it(page: Page) -> None:
    page.fill("#q", "Where does Ana live?")
    page.locator("#hits .words", has_text="Ana lives in Antwerp.").click()
    shown = page.locator("dialog#record")
    expect(shown.get_by_text("We moved to Antwerp last week.").first).to_be_visible()
    shown.get_by_text("Everything that happened to it").click()
    expect(shown.get_by_text("version 1").first).to_be_visible()
    shown.get_by_text("What is around it").click()
    expect(shown.get_by_text("this rests on it").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(shown).to_be_hidden()


def test_nothing_of_the_page_itself_is_told_as_words(page: Page) -> None:
    odd = re.compile(r"\b(false|null|undefined|NaN)\b|\[object ")
    for part in (
        *PARTS,
        "search?q=Where%20do%20I%20live%3F",
        "given?q=Where%20do%20I%20live%3F",
        "subjects?about=Clara",
    ):
        to(page, part)
        page.wait_for_load_state("networkidle")
        assert not odd.search(page.locator("main").inner_text()), part
    to(page, "search")
    for number in range(page.locator("main .record").count()):
        page.locator("main .record").nth(number).click()
        dialog = page.locator("dialog[open]")
        for more in dialog.locator("details > summary").all():
            more.click()
        page.wait_for_load_state("networkidle")
        words = dialog.inner_text().partition("Details")[0]
        assert not odd.search(words), words
        page.keyboard.press("Escape")


def test_a_correction_and_its_undo(page: Page) -> None:
    page.fill("#q", "What is Ana allergic to?")
    page.locator("#hits .words", has_text="Ana is allergic to walnuts.").click()
    shown = page.locator("dialog#record")
    shown.get_by_role("button", name="Correct").click()
    shown.get_by_label("In your words").fill("Ana is allergic to hazelnuts.")
    shown.get_by_role("button", name="Correct it").click()
    expect(shown.locator("p.words").first).to_have_text("Ana is allergic to hazelnuts.")
    page.keyboard.press("Escape")
    expect(page.locator("#hits .words", has_text="hazelnuts").first).to_be_visible()
    page.locator("#said").get_by_role("button", name="Undo").click()
    expect(page.locator("#hits .words", has_text="Ana is allergic to walnuts.").first).to_be_visible()


def test_taken_out_and_undone(page: Page) -> None:
    page.fill("#q", "Where does Clara work?")
    page.locator("#hits .words", has_text="Clara works at Bosch.").first.click()
    shown = page.locator("dialog#record")
    shown.get_by_role("button", name="Take out").click()
    shown.get_by_role("button", name="Take it out").click()
    expect(shown.get_by_text("taken out").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#hits .words", has_text=re.compile("^Clara works at Bosch.$"))).to_have_count(0)
    page.locator("#said").get_by_role("button", name="Undo").click()
    expect(page.locator("#hits .words", has_text=re.compile("^Clara works at Bosch.$"))).to_have_count(1)


@pytest.mark.parametrize("width", [360, 1280])
def test_what_was_done_is_taken_back_while_the_record_is_open(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 780})
    page.fill("#q", "What is Ana allergic to?")
    page.locator("#hits .words", has_text="Ana is allergic to walnuts.").click()
    shown = page.locator("dialog#record")
    words = shown.locator("p.words").first
    shown.get_by_role("button", name="Correct").click()
    shown.get_by_label("In your words").fill("Ana is allergic to hazelnuts.")
    shown.get_by_role("button", name="Correct it").click()
    expect(words).to_have_text("Ana is allergic to hazelnuts.")
    expect(page.get_by_role("status").filter(has_text="Corrected.")).to_be_visible()
    page.get_by_role("button", name="Undo").click(timeout=3000)
    expect(words).to_have_text("Ana is allergic to walnuts.")
    shown.get_by_role("button", name="Take out").click()
    shown.get_by_role("button", name="Take it out").click()
    expect(shown.get_by_text("taken out").first).to_be_visible()
    undo = page.get_by_role("button", name="Undo")
    for _ in range(20):  # as whoever has no mouse gets there
        if undo.evaluate("one => one === document.activeElement"):
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="Taken back.")).to_be_visible()
    expect(shown.get_by_role("button", name="Take out")).to_be_visible()


def test_what_was_done_by_hand_is_no_message(page: Page) -> None:
    page.fill("#q", "Where does Clara work?")
    page.locator("#hits .words", has_text="Clara works at Bosch.").first.click()
    shown = page.locator("dialog#record")
    shown.get_by_role("button", name="Take out").click()
    shown.get_by_role("button", name="Take it out").click()
    expect(shown.get_by_text("taken out").first).to_be_visible()
    resting = shown.locator("section", has_text="What this rests on").locator(".words")
    expect(resting).to_have_text(["We moved to Antwerp last week. My sister Clara works at Bosch."])
    shown.get_by_text("Everything that happened to it").click()
    expect(shown.get_by_text("retired", exact=True)).to_be_visible()


def test_a_hit_says_the_place_that_it_has_in_the_list(page: Page) -> None:
    page.fill("#q", "Where does Clara work?")
    expect(page.locator("#hits .words").first).to_have_text("Clara works at Bosch.")
    for place, hit in enumerate(page.locator("#hits > li").all()[:3], 1):
        hit.get_by_text("Why this one?").click()
        expect(hit.get_by_text(f"Place {place} of this list")).to_be_visible()


def test_what_a_statement_rests_on_is_erased_from_where_it_stands(page: Page) -> None:
    page.fill("#q", "Where does Clara work?")
    page.locator("#hits .words", has_text="Clara works at Bosch.").first.click()
    shown = page.locator("dialog#record")
    shown.get_by_role("button", name="Erase for good").click()
    expect(shown.get_by_text("says it still. To erase that, too, open it")).to_be_visible()


def test_before_anything_is_erased_all_that_goes_with_it_is_shown(page: Page, tmp_path: Path) -> None:
    page.fill("#q", "walnuts")
    page.locator("#hits .words", has_text="I live in Utrecht").first.click()
    shown = page.locator("dialog#record")
    shown.get_by_role("button", name="Erase for good").click()
    expect(shown.get_by_text("Ana is allergic to walnuts.").first).to_be_visible()
    expect(shown.get_by_text("This cannot be taken back.")).to_be_visible()
    shown.get_by_role("button", name="Erase", exact=True).click()
    expect(shown).to_be_visible()  # not without the tick
    shown.get_by_label("Yes, erase all of this").check()
    shown.get_by_role("button", name="Erase", exact=True).click()
    expect(shown).to_be_hidden()
    expect(page.locator("#hits .words", has_text="walnuts")).to_have_count(0)
    assert b"walnuts" not in (tmp_path / "agent.db").read_bytes()


def test_two_clocks(page: Page) -> None:
    to(page, "timeline?subject=Ana")
    lives = page.locator("main ol.records .words", has_text="lives in")
    expect(lives).to_have_text(["Ana lives in Antwerp."])
    page.locator("#valid").fill("2026-03-15")
    page.locator("#valid").blur()
    expect(lives).to_have_text(["Ana lives in Utrecht."])
    page.locator("#known").fill("2026-03-10")
    page.locator("#known").blur()
    expect(lives).to_have_count(0)  # all of it was recorded when this test began


def test_who_is_known_and_what_holds_of_them(page: Page) -> None:
    to(page, "subjects")
    page.get_by_label("Find a name").fill("cla")
    page.get_by_role("link", name="Clara").click()
    expect(page.get_by_role("heading", name="Clara")).to_be_visible()
    expect(page.locator(".words", has_text="Clara works at Bosch.").first).to_be_visible()


def test_a_conflict_is_settled_and_the_choice_taken_back(page: Page) -> None:
    to(page, "conflicts")
    pair = page.locator(".conflict")
    expect(pair).to_have_count(1)
    pair.locator("div", has_text="Braga").get_by_role("button", name="This one is right").click()
    expect(page.get_by_text("Nothing contradicts anything else.")).to_be_visible()
    page.locator("#said").get_by_role("button", name="Undo").click()
    expect(pair).to_have_count(1)


def test_what_an_agent_was_told_and_why(page: Page) -> None:
    to(page, "given?q=Where does Ana live?")
    expect(page.locator("main pre")).to_contain_text("Antwerp")
    to(page, "usage")
    to(page, "given")
    expect(page.get_by_role("link", name="Where does Ana live?")).to_be_visible()


def test_remembered_text_is_text(page: Page) -> None:
    page.locator("#whose").click()
    page.get_by_label("User").fill("eve")
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("#whose")).to_have_text("user eve")
    for part in PARTS:
        to(page, f"{part}?q=Where%20do%20I%20live%3F&subject=Eve&about=Eve")
        page.wait_for_timeout(50)
    to(page, "search?q=Rome")
    page.locator("#hits .record").first.click()
    for summary in page.locator("dialog#record summary").all():
        summary.click()
    page.wait_for_load_state("networkidle")
    assert page.evaluate("window.hurt") is None
    assert page.locator("main img, main script, dialog img, dialog script").count() == 0


def test_everything_can_be_done_from_the_keyboard(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("Ana")
    page.wait_for_selector("#hits .record")
    page.wait_for_load_state("networkidle")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(page.locator("dialog#record")).to_be_visible()
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("2")
    expect(page.get_by_role("heading", name="Timeline")).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keys that work here")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_nobody_is_kept_out(browser: Browser, address: str, scheme: str, width: int) -> None:
    """WCAG A and AA as axe checks them, in both schemes; and nothing to be scrolled sideways on a phone."""
    context = browser.new_context(
        viewport={"width": width, "height": 780}, color_scheme=scheme, locale="en-GB", bypass_csp=True
    )
    page = context.new_page()
    page.goto(address)
    checks = axe.Axe()
    wanted = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
    for part in (*PARTS, "search?q=Where does Ana live?", "given?q=Where does Ana live?", "subjects?about=Ana"):
        to(page, part)
        found = checks.run(page, options=wanted).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"]) for one in found] == [], part
        assert page.evaluate("document.documentElement.scrollWidth") <= width, part
    to(page, "search?q=Where does Ana live?")
    page.locator("#hits .record").first.click()
    page.wait_for_selector("dialog#record .words")
    found = checks.run(page, options=wanted).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []
    context.close()


def test_a_key_is_asked_for_where_the_server_wants_one(browser: Browser, address: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mnemic", "keys", "add", "page", "--role", "writer", "--user", "ana"]
    made = subprocess.run([*command, "--file", str(tmp_path / "agent.db")], capture_output=True, text=True, check=True)
    key = re.search(r"mnemic[_-]\S+", made.stdout)
    assert key is not None, made.stdout
    context = browser.new_context()
    page = context.new_page()
    page.goto(address.partition("?")[0])
    page.get_by_label("Key", exact=True).fill(key[0])
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("#whose")).to_have_text("user ana")
    expect(page.locator("main .records li").first).to_be_visible()
    context.close()
