"""The page on the running pipeline, in a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from stack.pipeline.launch import Pipeline
from tests.browser.chromium import launched
from tests.browser.looking import Looked
from tests.browser.running import running_page

# At 1280 px, as the page promises.
SIZE: ViewportSize = {"width": 1280, "height": 900}


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    with running_page(tmp_path_factory.mktemp("browser")) as found:
        yield found


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with launched() as found:
        yield found


@pytest.fixture
def looked(browser: Browser, running: Pipeline) -> Iterator[Looked]:
    """A new window; a test fails if the page logged an error or asked another host."""
    context = browser.new_context(viewport=SIZE, base_url=running.page_url, color_scheme="light")
    found = Looked(context.new_page())
    yield found
    context.close()
    assert found.problems == []


@pytest.fixture
def page(looked: Looked) -> Page:
    return looked.page
