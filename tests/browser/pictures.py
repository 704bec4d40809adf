"""Takes the pictures of the docs from the demo's pipeline: `make pictures` (six minutes).

They are small: light, 1280 px wide, with a palette of 128 colours.
"""

import io
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack

from PIL import Image
from playwright.sync_api import Page

from stack.errors import UserError
from stack.load.generator import Load
from stack.paths import ROOT
from stack.pipeline.launch import Pipeline
from stack.pipeline.ports import Ports
from stack.tools import page as built_page
from stack.tools.progress import say, status
from tests.browser.chromium import launched
from tests.browser.looking import DRAWN

FOLDER = ROOT / "docs" / "pictures"
MINUTES = 5  # of load before the first picture
COLOURS = 128
APPLICATION = "/d/agentical-application?start=5m&var-job=agentical-api"


def main() -> None:
    """Run the pipeline and take every picture; exits with a sentence if a part is missing."""
    try:
        run()
    except UserError as error:
        sys.exit(str(error))


def run() -> None:
    ports = Ports.free()
    pipeline = Pipeline(
        ports,
        page=built_page.provide(),
        variables={"GRAFANA_URL": f"http://127.0.0.1:{ports.grafana}"},
    )
    with ExitStack() as stack:
        stack.enter_context(pipeline)
        stack.enter_context(Load(pipeline.api_url, rate=20))
        wait(60 * MINUTES)
        browser = stack.enter_context(launched())
        for name, (path, height, arrive) in PICTURES.items():
            page = browser.new_page(
                base_url=pipeline.page_url,
                viewport={"width": 1280, "height": height},
                color_scheme="light",
            )
            page.goto(path)
            arrive(page)
            page.wait_for_timeout(1500)  # the last transitions of the page
            keep(name, page.screenshot())
            page.close()


def wait(seconds: float) -> None:
    """Wait for data, and show how long it takes."""
    end = time.monotonic() + seconds
    with status(say) as show:
        while (left := end - time.monotonic()) > 0:
            show(f"loading the pipeline, so that the graphs are full: {left:.0f} s left")
            time.sleep(min(left, 1))


def drawn(page: Page) -> None:
    page.wait_for_function(DRAWN)


def headed(page: Page) -> None:
    page.get_by_role("heading").first.wait_for()
    page.wait_for_load_state("networkidle")


def trace_of_a_summary(page: Page) -> None:
    """Open the newest trace of a task that calls the API back, over both services."""
    rows = page.get_by_test_id("trace-row").filter(has_text="11 in 2 services")
    rows.first.get_by_role("link").first.click()
    page.get_by_test_id("waterfall").wait_for()


def quiet_rules(page: Page) -> None:
    """Show the rules that do not fire, and open one."""
    page.get_by_role("button", name="rules are quiet").click()
    page.get_by_role("button", name="Show the rule of").first.click()


PICTURES: dict[str, tuple[str, int, Callable[[Page], None]]] = {
    "home": ("/", 860, headed),
    "overview": ("/d/agentical-overview?start=5m", 900, drawn),
    "application": (APPLICATION, 900, drawn),
    "trace": ("/traces?var-job=agentical-api", 760, trace_of_a_summary),
    "alerts": ("/alerts", 720, quiet_rules),
    "requests-in-logfire": ("/d/agentical-requests?start=5m", 820, drawn),
}


def keep(name: str, picture: bytes) -> None:
    path = FOLDER / f"{name}.png"
    path.parent.mkdir(exist_ok=True)
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    image.quantize(COLOURS).save(path, optimize=True)
    say(f"wrote {path.relative_to(ROOT)}, {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
