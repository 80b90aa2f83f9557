"""Takes the pictures of a report that the documentation shows: python docs/take_screenshots.py REPORT.html [FOLDER]

Writes report-1280.png and report-390.png, named after the width of the window. Needs a Chromium on the path.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

WIDTHS = {1280: 1600, 390: 1400}
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-sync",
    "--disable-component-update",
    "--no-first-run",
    "--hide-scrollbars",
]


def main(report: Path, folder: Path) -> None:
    """One picture for each width, of the upper part of the report."""
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("no chromium on the path: install the package chromium")
    if not report.is_file():
        raise SystemExit(f"{report}: there is no such report, run pytest --ml-score first")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for width, height in WIDTHS.items():
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme="light")
            page.goto(report.resolve().as_uri())
            page.screenshot(path=folder / f"report-{width}.png")
        browser.close()


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        raise SystemExit("usage: python docs/take_screenshots.py REPORT.html [FOLDER]")
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) == 3 else Path(__file__).parent)
