"""Looks at the page: waits until it is drawn, and records what went wrong."""

from dataclasses import dataclass, field

from playwright.sync_api import ConsoleMessage, Page, Request, Response

# While anything of this is there, a panel is not drawn yet.
LOADING = "[role=progressbar], .MuiSkeleton-root"
DRAWN = f"""() => document.querySelectorAll('[data-testid=panel]').length > 0
    && !document.querySelector('{LOADING}')"""
BOTTOM = """() => Math.max(...[...document.querySelectorAll('[data-testid=panel]')]
    .map(each => each.getBoundingClientRect().bottom))"""
FITS = """() => [document.documentElement, document.querySelector('main')]
    .every(each => each.scrollWidth <= each.clientWidth)"""


@dataclass
class Looked:
    """A window, with the errors that the page logged and the requests that failed."""

    page: Page
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(30_000)
        self.page.on("console", self._logged)
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("response", self._answered)
        self.page.on("request", self._asked)

    def _logged(self, message: ConsoleMessage) -> None:
        # Chromium breaks off what is under way when a container's network comes or goes.
        if message.type == "error" and "ERR_NETWORK_CHANGED" not in message.text:
            self.problems.append(message.text)

    def _answered(self, answer: Response) -> None:
        if answer.status >= 400:
            self.problems.append(f"{answer.status} {answer.url} {answer.text()[:300]}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith(("http://127.0.0.1:", "data:", "blob:")):
            self.problems.append(f"asked another host: {request.url}")


def board(page: Page, path: str) -> float:
    """Open a dashboard and draw all of its panels once; returns the seconds it took.

    Panels load when they are in view, so the window is higher than any dashboard meanwhile.
    """
    page.set_viewport_size({"width": 1280, "height": 6000})
    page.goto(f"{path}&refresh=0s")
    page.wait_for_function(DRAWN)
    seconds: float = page.evaluate("() => performance.now() / 1000")
    height: float = page.evaluate(BOTTOM)
    page.set_viewport_size({"width": 1280, "height": int(height) + 16})
    return seconds
