"""How much memory the collector needs when many producers send batches of prompts at once.

    python -m bench.collector.bursts

The collector gets the memory that compose gives it. Minutes; stores the figures, which
docs/access.md states and tests/bench/test_bursts.py compares with compose.
"""

import gzip
import json
import random
import re
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import yaml
from otelcol_runner.polling import poll_until
from otelcol_runner.sender import RESOURCE, export_requests
from otelcol_runner.telemetry import span

from bench.collector.configs import shipped
from bench.collector.measure import Bed, bed
from stack.clients import http
from stack.paths import ROOT

FIGURES = ROOT / "docs" / "measurements" / "bursts.json"
SENDERS, SPANS, PROMPT = 50, 512, 21_000  # the SDK's batch; characters
RETRIED, WAITS = ("429", "502", "503", "504"), 300.0  # seconds that a producer is patient
PROTOBUF = {"content-type": "application/x-protobuf"}
MEBIBYTE = 1 << 20
WORDS = ("answer", "context", "document", "model", "please", "prompt", "summary", "tool", "user")


def container() -> tuple[int, dict[str, str]]:
    """Return what compose gives the collector: MiB, and the variables of the Go runtime."""
    found = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["collector"]
    size = re.fullmatch(r"(\d+)m", found["mem_limit"])
    if size is None:
        raise ValueError(f"mem_limit is not in MiB: {found['mem_limit']}")
    return int(size[1]), {"GOMEMLIMIT": found["environment"]["GOMEMLIMIT"]}


def batch() -> bytes:
    """Return a default batch of spans whose prompts compress as text does."""
    chance = random.Random(1)  # noqa: S311 - not a secret
    texts = [
        " ".join(chance.choice(WORDS) + str(chance.randrange(1000)) for _ in range(PROMPT // 9))
        for _ in range(40)
    ]
    prompts = ({"gen_ai.prompt": texts[number % 40][:PROMPT]} for number in range(SPANS))
    ((_, body),) = export_requests([span("chat", each) for each in prompts], RESOURCE, "burst")
    return body


def send(
    endpoint: str, body: bytes, headers: dict[str, str], start: threading.Barrier
) -> tuple[str, float]:
    """Send, and again while the answer says so; returns the answers and the seconds."""
    start.wait()
    begun, pause, said = time.monotonic(), 1.0, list[str]()
    while True:
        answer = http.post(f"{endpoint}/v1/traces", content=body, headers=headers, timeout=WAITS)
        said.append(str(answer.status_code))
        seconds = time.monotonic() - begun
        if said[-1] not in RETRIED or seconds + pause > WAITS:
            return " ".join(said), seconds
        time.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311
        pause *= 2


def burst(*, packed: bool) -> dict[str, Any]:
    """Let all producers send at once; returns the peak of the memory and what arrived."""
    size, variables = container()
    config = shipped("development")
    limiter = config["processors"]["memory_limiter"]
    for name in ("limit", "spike_limit"):  # of the container instead of this machine
        limiter[f"{name}_mib"] = size * limiter.pop(f"{name}_percentage") // 100
    body = gzip.compress(batch()) if packed else batch()
    headers = PROTOBUF | ({"content-encoding": "gzip"} if packed else {})
    with bed(config, variables) as under, ThreadPoolExecutor(SENDERS) as pool:
        start = threading.Barrier(SENDERS)
        endpoint = under.collector.endpoint
        sent = [pool.submit(send, endpoint, body, headers, start) for _ in range(SENDERS)]
        answered = [each.result() for each in sent]
        poll_until(lambda: under.delivered() >= SENDERS * SPANS, "all spans", timeout=WAITS)
        return {
            "senders": SENDERS,
            "request_bytes": len(body),
            "memory_mib": size,
            "peak_mib": peak(under) // MEBIBYTE,
            "answers": dict(Counter(said for said, _ in answered)),
            "slowest_seconds": round(max(seconds for _, seconds in answered), 1),
            "sent": SENDERS * SPANS,
            "arrived": under.delivered(),
        }


def peak(under: Bed) -> int:
    """Return the largest resident memory so far in bytes; raises if the process is gone."""
    text = Path(f"/proc/{under.collector.pid}/status").read_text()  # Linux only
    found = re.search(r"VmHWM:\s+(\d+) kB", text)
    if found is None:
        raise ValueError("the collector is gone")
    return int(found[1]) * 1024


def main() -> None:
    """Measure, and store the figures."""
    found: dict[str, Any] = {}
    for name in ("plain", "gzip"):
        found[name] = burst(packed=name == "gzip")
        FIGURES.write_text(json.dumps(found, indent=1) + "\n")
        print(name, json.dumps(found[name]), flush=True)  # noqa: T201 - a command's answer


if __name__ == "__main__":
    main()
