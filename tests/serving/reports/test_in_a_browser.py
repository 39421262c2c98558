"""The digest in a real browser: it can be read on a desk and on a phone, light and dark."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from serving.locales.wording import wording
from serving.notify.render import digest_html as html
from serving.notify.render.digest_content import write
from serving.storage.digest_record import Digest
from tests.serving.browser import CHROMIUM, Tab, tab
from tests.serving.notify.render.conftest import HOSTILE

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium"),
]
WORDS = wording("vi")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with tab(tmp_path_factory.mktemp("browser")) as page:
        yield page


def mail(folder: Path, digest: Digest) -> str:
    file = folder / "digest.html"
    rendered = write(digest, WORDS, "https://pr.example.com")
    file.write_text(html.render(rendered, WORDS), encoding="utf-8")
    return file.as_uri()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(("width", "card"), [(680, 600), (380, 364)])
def test_the_digest_as_its_reader_sees_it(
    tmp_path: Path, page: Tab, week: Digest, width: int, card: int, dark: bool
) -> None:
    page.screen(width, 1500, dark=dark)
    page.open(mail(tmp_path, week))
    assert page.faults() == []
    rendered, shown = write(week, WORDS, None), page.text()
    assert shown.count(rendered.summary) == 1  # the one for lists of messages is not shown
    for group in rendered.groups:
        for entry in group.entries:
            assert all(line in shown for line in (entry.flag, *entry.lines))
    for kol in rendered.moods:
        assert all(figure.now in shown for figure in kol.figures)
    assert page.run("document.querySelector('.card').getBoundingClientRect().width") == card


def test_long_names_and_many_kols_make_no_page_wider(
    tmp_path: Path, page: Tab, week: Digest
) -> None:
    kols = tuple(replace(kol, name=HOSTILE + "x" * 99) for kol in week.kols)
    incidents = tuple(replace(one, name="x" * 99, top_post="y" * 99) for one in week.incidents)
    page.screen(380)
    page.open(mail(tmp_path, replace(week, kols=kols * 5, incidents=incidents)))
    assert page.faults() == []
