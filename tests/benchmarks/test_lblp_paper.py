"""The committed page on the LBLP paper says what the committed records say."""

import re

from benchmarks.lblp_paper import page, records
from mapopt.studies.templates import template_text


def test_the_page_is_what_the_records_give():
    folder = records.RESULTS / records.MAIN
    text = (folder / "README.md").read_text("utf-8")
    assert text == page.page()
    for file in re.findall(r'src="([^"]+)"', text):
        assert (folder / file).exists(), file
    assert {f"{name}.svg" for name in page.pictures()} == {file.name for file in folder.glob("figures/*")}


def test_the_templates_are_what_was_run():
    for study in records.STUDIES:
        assert (records.RESULTS / study / "study.toml").read_text("utf-8") == template_text(study)
