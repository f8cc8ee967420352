"""Pictures of the web page for its guide, of an invented conversation: `python docs/screenshots.py`, with Chromium."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from mnemic import Memory, samples

HERE = Path(__file__).parent
QUESTION = "Who is Ana's manager?"
OPENED = "Karin is Ana's manager"
VIEWS = (
    ("desktop-search", (1280, 860), "light", f"search?q={QUESTION}", False),
    ("desktop-timeline", (1280, 860), "dark", "timeline", False),
    ("phone-search", (390, 844), "dark", f"search?q={QUESTION}", False),
    ("phone-record", (390, 844), "light", "subjects?about=Ana", True),
)
"""Name, size, colours, the part of the page, and whether a record is open."""


def main() -> None:
    """Serve a sample, and take the pictures."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "agent.db")
        with Memory(file) as memory:
            memory.add(samples.load("home").messages, user_id="home")
            memory.upkeep(user_id="home")
        command = [sys.executable, "-m", "mnemic", "ui", "--file", str(file), "--user", "home", "--port", "0"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
            assert server.stderr is not None
            told = next(found for line in server.stderr if (found := re.search(r"the page is at (\S+)", line)))
            try:
                _take(told[1])
            finally:
                server.terminate()


def _take(address: str) -> None:
    with sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, (width, height), scheme, part, opened in VIEWS:
            context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
            page = context.new_page()
            page.goto(f"{address}#/{part}")
            page.wait_for_selector(".record")
            if opened:
                page.locator(".record", has_text=OPENED).first.click()
                page.wait_for_selector("dialog[open]")
            page.wait_for_load_state("networkidle")
            page.screenshot(path=HERE / f"page-{name}.png")
            context.close()
        chromium.close()


if __name__ == "__main__":
    main()
