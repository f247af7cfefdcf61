"""The page in a real browser."""

from base64 import b64decode
from itertools import pairwise

import msgspec
import pytest

from benchmarks.studies.scrolling import measure
from mapopt.report import report
from mapopt.report.markup import PAGED_FROM
from mapopt.studies.records import LevelRecord
from tests.report import browser as browsers
from tests.report import studies

pytestmark = pytest.mark.system

TAB, ENTER = "\ue004", "\ue007"


@pytest.fixture(scope="module")
def browser():
    if browsers.CHROMIUM is None or browsers.DRIVER is None:
        pytest.skip("chromium or chromedriver is not installed")
    with browsers.Browser() as opened:
        yield opened


def page_of(path, tmp_path):
    target = tmp_path / "page.html"
    report.write_page(report.read([path]), target)
    return target


@pytest.fixture
def many(tmp_path):
    """A study with tables so long that they are paged."""
    instance, made = studies.chain(), studies.Made(tmp_path / "many")
    for seed in range(PAGED_FROM + 20):
        key = studies.key(instance.digest, "mapper rd", seed)
        level = LevelRecord("period", "feasible", 13 + seed % 50)
        made.add(studies.record(key, levels=(level,), runtime_s=seed / 1000), instance, "rd <b>", seed=seed)
    return made.done()


def is_quiet(browser, page):
    """No message on the console, and no request but for the page itself."""
    assert browser.console() == []
    assert {address.partition("#")[0] for address in browser.requests()} <= {page.as_uri(), "data:,"}


def test_a_page_renders_without_errors_or_requests(browser, real, tmp_path):
    page = page_of(real, tmp_path)
    browser.open(page)
    figures = browser.run("return document.querySelectorAll('figure').length")
    assert figures > 10
    tall = "(svg) => svg.getBoundingClientRect().height > 50"
    drawn = f"[...document.querySelectorAll('figure svg')].filter({tall}).length"
    browser.run(
        "document.querySelectorAll('figure').forEach((each) => each.style.contentVisibility = 'visible')"
    )
    assert browser.run(f"return {drawn}") == figures
    assert browser.run("return document.documentElement.scrollWidth <= innerWidth")
    is_quiet(browser, page)


def test_pictures_and_numbers_lead_to_runs(browser, real, tmp_path):
    page = page_of(real, tmp_path)
    browser.open(page)
    for links in ("#gap-table a", "figure svg a"):
        anchor = browser.run(
            f"const link = document.querySelector('{links}'); "
            "link.dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true})); "
            "return link.getAttribute('href') ?? link.getAttribute('xlink:href');"
        )
        assert anchor.startswith("#run-")
        target = f"document.querySelector('tr.target')?.id === '{anchor[1:]}'"
        assert browser.until(target)
        assert "mapopt" in browser.run("return document.querySelector('tr.target code').textContent")
    is_quiet(browser, page)


def test_light_and_dark(browser, small, tmp_path):
    page = page_of(small, tmp_path)
    browser.open(page)
    ink = "return getComputedStyle(document.body).color"
    light = browser.run(ink)
    axis = "return getComputedStyle(document.querySelector('figure svg [fill=\"#1f2328\"]')).fill"
    light_axis = browser.run(axis)
    assert (
        browser.run("const b = document.getElementById('theme'); b.click(); return b.textContent") == "Light"
    )
    assert browser.run(ink) != light
    assert browser.run(axis) != light_axis
    browser.run("document.getElementById('theme').click()")
    assert browser.run(ink) == light


def test_the_keyboard_reaches_everything(browser, small, tmp_path):
    browser.open(page_of(small, tmp_path))
    assert browser.until("document.readyState === 'complete'")
    browser.run("await new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))")  # drawn
    browser.press(TAB)
    assert browser.until("document.activeElement.className === 'skip'")
    assert browser.until("document.activeElement.getBoundingClientRect().left >= 0")
    browser.press(ENTER)
    assert browser.until("document.activeElement.id === 'content'")
    browser.press(TAB)
    assert browser.until("document.activeElement.matches('main *')")
    levels = browser.run(
        "return [...document.querySelectorAll('h1,h2,h3')].map((each) => Number(each.tagName[1]))"
    )
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    named = "(each) => each.ariaLabel || each.textContent"
    assert browser.run(f"return [...document.querySelectorAll('svg, button, input, .scroll')].every({named})")
    assert browser.run("return document.querySelectorAll('thead th:not([scope=col])').length") == 0


def test_long_tables_are_paged_sorted_and_searched(browser, many, tmp_path):
    page = page_of(many, tmp_path)
    browser.open(page)
    browser.run("document.querySelector('#runs').nextElementSibling.open = true")
    browser.run("document.querySelector('#run-list').scrollIntoView()")
    rows = "document.querySelectorAll('#run-list tbody tr')"
    assert browser.until(f"{rows}.length === 50")
    box = "document.querySelector('#run-list').closest('.paged')"
    assert (
        browser.run(f"return {box}.querySelector('[role=status]').textContent")
        == f"1 to 50 of {PAGED_FROM + 20}"
    )
    assert browser.run(f"return {rows}[0].cells[2].textContent") == "rd <b>"
    browser.run(f"{box}.querySelectorAll('.pager button')[1].click()")
    assert browser.until(f"{box}.querySelector('[role=status]').textContent.startsWith('51 to 100')")
    seconds = 'document.querySelectorAll("#run-list thead button")[7]'
    browser.run(f"{seconds}.click(); {seconds}.click()")
    assert browser.until(f"{rows}[0].cells[7].textContent === '{(PAGED_FROM + 19) / 1000:.3f}'")
    assert browser.run(f"return {seconds}.parentElement.ariaSort") == "descending"
    browser.run(
        f"const find = {box}.querySelector('input'); find.value = 'seed 417'; "
        "find.dispatchEvent(new Event('input'))"
    )
    assert browser.until(f"{rows}.length === 1")
    is_quiet(browser, page)


def test_a_link_to_a_run_of_a_long_table(browser, many, tmp_path):
    page = page_of(many, tmp_path)
    last = report.read([many]).runs[-1].id
    browser.open(page, f"run-{last}")
    assert browser.until(f"document.querySelector('tr.target')?.id === 'run-{last}'")
    is_quiet(browser, page)


def test_hostile_names_do_not_run(browser, tmp_path):
    instance = studies.chain(studies.NASTY)
    made = studies.Made(tmp_path / "nasty", name=studies.NASTY)
    made.add(studies.mapped(instance, "lblp"), instance, studies.NASTY)
    for seed in range(PAGED_FROM + 1):
        key = studies.key(instance.digest, "mapper x", seed)
        made.add(studies.record(key, "failed", reason=studies.NASTY), instance, studies.NASTY, seed=seed)
    page = page_of(made.done(), tmp_path)
    browser.open(page, f"run-{made.runs[-1].id}")
    assert browser.until("document.querySelector('tr.target')")
    assert browser.run("return document.querySelectorAll('img').length") == 0
    assert browser.run("return document.querySelectorAll('script:not([type])').length") == 1
    assert studies.NASTY in browser.run("return document.querySelector('h1').textContent")
    is_quiet(browser, page)


def test_a_mark_says_what_it_stands_for(browser, small, tmp_path):
    browser.open(page_of(small, tmp_path))
    place = browser.run(
        "const mark = document.querySelector('figure svg [aria-roledescription=\"point\"]'); "
        "mark.scrollIntoView({block: 'center'}); const box = mark.getBoundingClientRect(); "
        "return [box.left + box.width / 2, box.top + box.height / 2];"
    )
    browser.point(*map(round, place))
    assert browser.until("!document.querySelector('.tip').hidden")
    assert "method" in browser.run("return document.querySelector('.tip').textContent")


def test_print(browser, small, tmp_path):
    page = page_of(small, tmp_path)
    browser.open(page)
    assert b64decode(browser.pdf()).startswith(b"%PDF")
    is_quiet(browser, page)


def test_paper_says_which_rows_it_shows(browser, many, tmp_path):
    page = page_of(many, tmp_path)
    browser.open(page)
    browser.run("document.querySelector('#runs').nextElementSibling.open = true")
    browser.run("document.querySelector('#run-list').scrollIntoView()")
    box = "document.querySelector('#run-list').closest('.paged')"
    status = f"{box}.querySelector('[role=status]')"
    assert browser.until(f"{status}.textContent")
    seen = "(each) => each.getClientRects().length > 0"
    assert browser.run(f"return [...{box}.querySelectorAll('.pager button')].every({seen})")
    browser.media("print")
    try:
        assert browser.run(f"return ({seen})({status})")
        assert not browser.run(f"return [...{box}.querySelectorAll('.pager button')].some({seen})")
        assert (
            browser.run(f"return getComputedStyle({box}.querySelector('thead button')).borderTopWidth")
            == "0px"
        )
    finally:
        browser.media("")


def test_scrolling_is_measured(many, tmp_path):
    if browsers.CHROMIUM is None or browsers.DRIVER is None:
        pytest.skip("chromium or chromedriver is not installed")
    opening, rows = measure(page_of(many, tmp_path))
    assert 0 < opening["ready"] <= opening["load"]
    assert opening["height"] > 2000
    assert [row[0] for row in rows] == [
        "nothing scrolls",
        "first way down",
        "second way down",
        "every table open",
    ]
    for _, count, middle, most, worst, _ in rows:
        assert int(count) > 10
        assert 0 < float(middle) <= float(most) <= float(worst)


def test_a_study_without_any_value(browser, small, tmp_path):
    plan = msgspec.json.decode((small / "plan.json").read_bytes())
    plan["runs"] = plan["runs"][3:4]
    (small / "plan.json").write_bytes(msgspec.json.encode(plan))
    page = page_of(small, tmp_path)
    browser.open(page)
    assert browser.run("return document.querySelector('.omitted').textContent").startswith("Not drawn")
    is_quiet(browser, page)
