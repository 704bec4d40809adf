import random
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from otelcol_runner.polling import poll_until

from stack.load.generator import Arrivals, Load
from stack.load.mix import Mix


class Held(ThreadingHTTPServer):
    """A server that responds when released, and counts the requests."""

    def __init__(self) -> None:
        self.may_answer = threading.Event()
        self.request_queue_size = 256
        self.asked = 0
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Held

    def do_GET(self) -> None:
        self.server.asked += 1
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.may_answer.wait(60)
        self.send_response(404 if "nobody" in self.path else 200)
        self.end_headers()

    do_POST = do_GET  # noqa: N815 - the server's name for it
    do_PUT = do_GET  # noqa: N815 - as above

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        pass


@pytest.fixture
def server() -> Iterator[Held]:
    with Held() as held:
        thread = threading.Thread(target=held.serve_forever)
        thread.start()
        yield held
        held.may_answer.set()
        held.shutdown()
        thread.join()


def test_unanswered_requests_accumulate_up_to_the_limit(server: Held) -> None:
    with Load(server.url, rate=200, in_flight=8) as load:
        poll_until(lambda: load.sent.shed >= 30, "more arrivals than the bound")
        poll_until(lambda: server.asked == 8, "as many requests as the bound")
        poll_until(lambda: load.sent.shed >= 60, "still more arrivals")
        assert (server.asked, load.sent.answered) == (8, 0)
        server.may_answer.set()
        poll_until(lambda: load.sent.answered > 8, "answers, and requests after them")


@pytest.mark.parametrize("arrivals", ["constant", "poisson"])
def test_the_rate_holds(server: Held, arrivals: Arrivals) -> None:
    server.may_answer.set()
    with Load(server.url, rate=50, arrivals=arrivals) as load:
        poll_until(lambda: load.sent.arrived, "the first request", interval=0.005)
        begun, before = time.monotonic(), load.sent.arrived
        poll_until(lambda: load.sent.arrived >= before + 100, "100 more", interval=0.005)
        rate = (load.sent.arrived - before) / (time.monotonic() - begun)
    assert rate == pytest.approx(50, rel=0.25)


def test_responses_are_counted_by_kind_and_lost_ones_separately(server: Held) -> None:
    server.may_answer.set()
    with Load(server.url, rate=200) as load:
        poll_until(lambda: load.sent.client_errors, "a refused request")
    sent = load.sent
    assert (sent.ok > sent.client_errors, sent.server_errors, sent.unanswered) == (True, 0, 0)
    assert sent.total == sum(sent.kinds.values()) == len(sent.latencies)


def test_the_load_keeps_running_without_a_server() -> None:
    with Load("http://127.0.0.1:9", rate=100) as load:
        poll_until(lambda: load.sent.unanswered >= 20, "requests without an answer")


def test_the_same_seed_sends_the_same_requests() -> None:
    one, other = (Mix(random.Random(7)) for _ in range(2))
    requests = [one.next() for _ in range(300)]
    assert requests == [other.next() for _ in range(300)]
    kinds = {request.kind for request in requests}
    assert {"word_statistics", "extract_keywords", "summarize_document"} < kinds
    assert {"unknown agent", "unknown task", "bad body", "read statistics"} < kinds
