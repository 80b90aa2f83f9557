"""The page in a real browser: readable for everybody, by day and by night, and silent on the network."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from mltest.reporters.html import render
from tests.reporters import sample

pytest.importorskip("playwright", reason="playwright is not installed: pip install 'pytest-ml-score[dev]'")
axe_module = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
)

from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-sync",
    "--disable-component-update",
    "--no-first-run",
]
OPEN_ALL = "document.querySelectorAll('details').forEach(element => { element.open = true })"

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the path: install the package chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("reports")
    cards = {
        "sample": sample.scorecard(),
        "empty": sample.empty(),
        "healthy": sample.healthy(),
        "partial": sample.scorecard(partial=True),
        "long": sample.renamed(sample.scorecard(), "one_name_without_any_break" * 12),
        "hostile": sample.renamed(sample.scorecard(), "\"><svg onload=alert(1)><img src=https://evil.example/x>'--"),
    }
    for name, card in cards.items():
        (folder / f"{name}.html").write_text(render(card), encoding="utf-8")
    return {name: folder / f"{name}.html" for name in cards}


@pytest.fixture
def visit(browser: Browser, reports: dict[str, Path]) -> Iterator[Visit]:
    visiting = Visit(browser, reports)
    yield visiting
    visiting.close()


class Visit:
    """Opens a report and keeps what the page asked for and complained about."""

    def __init__(self, browser: Browser, reports: dict[str, Path]) -> None:
        self.browser = browser
        self.reports = reports
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.pages: list[Page] = []

    def __call__(self, name: str, width: int = 1280, scheme: str = "light") -> Page:
        page = self.browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        page.goto(self.reports[name].as_uri())
        self.pages.append(page)
        return page

    def close(self) -> None:
        for page in self.pages:
            page.close()


@pytest.mark.parametrize(
    ("name", "scheme", "width"),
    [
        *product(["sample"], ["light", "dark"], [1280, 390]),
        ("empty", "light", 390),
        ("healthy", "dark", 1280),
        ("partial", "dark", 390),
    ],
)
def test_a_checker_of_accessibility_finds_nothing_serious(visit: Visit, name: str, scheme: str, width: int):
    page = visit(name, width, scheme)
    page.evaluate(OPEN_ALL)
    found = axe_module.Axe().run(page).response["violations"]
    grave = [
        (v["id"], [n["html"][:160] for n in v["nodes"]][:3]) for v in found if v["impact"] in ("serious", "critical")
    ]
    assert grave == []


@pytest.mark.parametrize("name", ["sample", "empty", "long", "hostile"])
def test_nothing_reaches_beyond_the_edge_of_a_phone(visit: Visit, name: str):
    page = visit(name, 390)
    page.evaluate(OPEN_ALL)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("name", ["sample", "hostile"])
def test_the_page_asks_for_nothing_and_complains_about_nothing(visit: Visit, name: str):
    page = visit(name)
    page.evaluate(OPEN_ALL)
    page.wait_for_load_state("networkidle")
    outside = [url for url in visit.requests if not url.startswith(("file://", "data:image/svg+xml;base64,"))]
    assert outside == []
    assert visit.complaints == []


def test_without_scripts_all_items_can_be_read(browser: Browser, reports: dict[str, Path]):
    page = browser.new_page(java_script_enabled=False)
    page.goto(reports["sample"].as_uri())
    assert page.locator("article.item").count() == 28
    details = page.locator("article.item details").first
    details.locator("summary").click()
    assert details.locator("table.measurements").is_visible()
    page.close()


def test_the_keyboard_reaches_the_skip_link_first_and_sees_where_it_is(visit: Visit):
    page = visit("sample")
    page.keyboard.press("Tab")
    focused = page.locator(":focus")
    assert focused.inner_text() == "Skip to the report"
    box = focused.bounding_box()
    assert box is not None
    assert box["y"] >= 0
    assert focused.evaluate("element => getComputedStyle(element).outlineStyle") == "solid"


def test_a_keyboard_opens_what_was_measured(visit: Visit):
    page = visit("sample")
    summary = page.locator("article.item summary").first
    summary.focus()
    page.keyboard.press("Enter")
    assert page.locator("article.item table.measurements").first.is_visible()


def test_the_figure_is_drawn(visit: Visit):
    assert visit("sample").evaluate("document.querySelector('figure img').naturalWidth") > 0


def test_dark_and_light_differ(visit: Visit):
    colour = "getComputedStyle(document.body).backgroundColor"
    assert visit("sample", scheme="dark").evaluate(colour) != visit("sample", scheme="light").evaluate(colour)


def test_print_shows_what_is_folded_and_hides_the_navigation(visit: Visit):
    page = visit("sample")
    page.emulate_media(media="print")
    assert page.locator("nav").is_hidden()
    folded = page.locator("article.item details:not([open]) table.measurements").first
    box = folded.bounding_box()
    assert box is not None
    assert box["height"] > 0
