"""Replays the sampling window after a crash, and removes from it what is old.

Check the folder before each start of the collector, and run the program beside it:

    python window.py check
    python window.py run

After each start of the collector it sends what earlier processes received and may not have decided:
the spans in their files. Those that had been kept are marked and not exported again. Only then are
these files removed. It can be killed at any time and begins again: spans that the running process
has in its own file are not sent twice. While it runs, it removes spans that are older than the
decision wait, and reports metrics.

A folder belongs to one collector. Variables, with the collector's defaults: SAMPLING_WINDOW (`none`
and `development`: only waits to be stopped), SAMPLING_WINDOW_DIR, SAMPLING_WINDOW_FILES,
TRACE_DECISION_WAIT, INSTANCE_NAME. Exits with 1 if the folder is not in memory, or too small.
Requires Python 3.11 and the packages opentelemetry-proto and protobuf.
"""

import os
import secrets
import signal
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import report
from connection import JSON, Collector, CollectorError
from opentelemetry.proto.trace.v1.trace_pb2 import Status, TracesData
from settings import FILE_BYTES, Settings, UserError, check
from span_files import (
    REPLAYED,
    DamagedError,
    SpanFile,
    handed_on,
    is_handed_on,
    keys,
    replayable,
    scopes_of,
    span_files,
    visible,
    whole,
)

TICK = 1.0  # seconds between two looks at the folder
REQUEST_BYTES = 1 << 20  # of a replay; the receiver takes 64 MiB, an original record has up to 32
REPORT = 5.0  # seconds between two reports of metrics
MARGIN = 5.0  # seconds that spans stay after the decision wait: the sampler's tick, a batch, a TICK
KEPT_DAMAGED = 3600.0  # seconds that a damaged file stays: it has spans that are not scrubbed


def main(arguments: Sequence[str], variables: Mapping[str, str]) -> int:
    """Check or run; return the exit code."""
    if list(arguments) not in (["check"], ["run"]):
        return say("pass what to do: python window.py check, or python window.py run", code=1)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        if (window := variables.get("SAMPLING_WINDOW")) in {"none", "development"}:
            say(f"SAMPLING_WINDOW is {window}: there is no window, and nothing to do")
            if arguments[0] == "run":
                signal.pause()  # those who run it would start it again
            return 0
        settings = Settings.of(variables)
        check(settings)
        if arguments[0] == "run":
            Window(settings).watch()
    except UserError as error:
        return say(str(error), code=1)
    except OSError as error:
        return say(
            f"{error.filename} cannot be used ({error.strerror}): run it as the collector's user",
            code=1,
        )
    except KeyboardInterrupt:
        pass
    return 0


def say(sentence: str, *, code: int = 0) -> int:
    """Print a sentence and return the exit code."""
    (sys.stderr if code else sys.stdout).write(f"window: {sentence}\n")
    sys.stdout.flush()
    return code


@dataclass
class Window:
    """The folder and what has been done with it."""

    settings: Settings
    full: dict[Path, float] = field(default_factory=dict)  # last write of each full file, seconds
    sizes: dict[int, deque[tuple[float, int]]] = field(default_factory=dict)  # of other inodes
    gap: tuple[float, float] = (0.0, 0.0)  # how much of the wait was not covered, and when: seconds
    replayed: dict[bool, int] = field(default_factory=lambda: {False: 0, True: 0})  # by handed on
    damaged: int = 0

    def watch(self) -> None:
        """Replay after each start of the collector, and trim; never returns."""
        say(f"waits for a collector that writes to {self.settings.folder}")
        while True:
            self.make_room()
            try:
                collector = Collector(self.settings.folder)
                try:
                    self.replay(collector)
                    self.follow(collector)
                finally:
                    collector.close()
            except (CollectorError, FileNotFoundError):
                time.sleep(TICK)  # or the collector renamed a file just now: look again

    def make_room(self) -> None:
        """Remove the oldest files of a full folder: the collector would refuse all spans."""
        for file in span_files(self.settings.folder)[:-1]:
            there = os.statvfs(self.settings.folder)
            if there.f_bavail * there.f_frsize >= FILE_BYTES:
                return
            file.path.unlink(missing_ok=True)
            self.gap = (self.settings.wait, time.time())
            say(f"{file} was removed before it was replayed: the folder is full", code=1)

    def follow(self, collector: Collector) -> None:
        """Trim and report as long as the connection stands. Raises `CollectorError`."""
        reported = 0.0
        while True:
            collector.post("/v1/traces", b"")  # tells that it is the same process
            self.trim(time.time())
            if time.time() - reported >= REPORT:
                reported = time.time()
                collector.post("/v1/metrics", self.report(reported), JSON)
            time.sleep(TICK)

    def replay(self, collector: Collector) -> None:
        """Send what earlier processes left. Raises `CollectorError` if the collector stops."""
        run = self.running(collector)
        files = span_files(self.settings.folder)
        left = [file for file in files if file.run != run]
        if not left:
            return
        began, counts = time.monotonic(), {False: 0, True: 0}
        exported = handed_on(readable(files))
        done = keys(readable([file for file in files if file.run == run]))
        messages = (message for file in left for message in self.checked(file))
        for request in joined(each for each in messages if replayable(each, done, exported)):
            collector.post("/v1/traces", request.SerializeToString())
            for scope in scopes_of(request):
                counts[is_handed_on(scope)] += len(scope.spans)
        for file in left:
            file.path.unlink(missing_ok=True)
        self.replayed = {known: self.replayed[known] + count for known, count in counts.items()}
        say(
            f"replayed {counts[False]} spans of {len(left)} files, and {counts[True]} that had been"
            f" handed on, for the rest of their traces, in {time.monotonic() - began:.1f} s"
        )

    def running(self, collector: Collector) -> str:
        """Return the run that the collector writes now: the one with a span that is sent to it."""
        span_id = secrets.token_bytes(8)
        marker = TracesData()
        scope = marker.resource_spans.add().scope_spans.add()
        scope.scope.attributes.add(key=REPLAYED).value.bool_value = True  # is not exported
        now = time.time_ns()
        scope.spans.add(
            trace_id=secrets.token_bytes(16),
            span_id=span_id,
            name="sampling window",
            start_time_unix_nano=now,
            end_time_unix_nano=now,
            status=Status(code=Status.STATUS_CODE_ERROR),
        )
        collector.post("/v1/traces", marker.SerializeToString())
        for file in reversed(span_files(self.settings.folder)):
            if span_id in file.path.read_bytes():
                return file.run
        raise UserError(
            f"the collector does not write to {self.settings.folder}, where its socket is: load"
            " collector/window/production.yaml as it is"
        )

    def checked(self, file: SpanFile) -> Iterator[TracesData]:
        """Yield the messages of an ended process's file; tell of and set aside a damaged one."""
        try:
            yield from file.messages()
            with file.path.open("rb") as data:
                size = os.fstat(data.fileno()).st_size
                rest = size - whole(data, size)
            if rest:
                say(f"{file} ends with {rest} bytes of an incomplete record")
        except DamagedError as error:
            stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
            aside = file.path.rename(f"{file.path}.damaged-{stamp}")
            self.damaged += 1
            say(
                f"{file} is damaged ({error}): what is before is replayed, and the file"
                f" is kept for an hour as {visible(aside)}",
                code=1,
            )

    def trim(self, now: float) -> None:
        """Remove spans older than the decision wait, and note what the exporter removed before."""
        keep = self.settings.wait + MARGIN
        files = span_files(self.settings.folder)
        for path, written in self.full.items() - {(f.path, f.written) for f in files}:
            if not path.exists() and now - written < self.settings.wait:
                self.gap = (self.settings.wait - (now - written), now)
        self.full = {file.path: file.written for file in files if file.full}
        for file in files:
            if file.full and now - file.written > keep:
                file.path.unlink(missing_ok=True)
                del self.full[file.path]
        self.blank([file for file in files if not file.full], time.monotonic() - keep)
        for path in self.settings.folder.glob("*.damaged-*"):
            if now - path.stat().st_mtime > KEPT_DAMAGED:
                path.unlink()

    def blank(self, files: Sequence[SpanFile], before: float) -> None:
        """Overwrite what was written before a time (monotonic seconds) to files not yet full."""
        self.sizes = {file.inode: self.sizes.get(file.inode, deque()) for file in files}
        for file in files:
            sizes, old = self.sizes[file.inode], 0
            sizes.append((time.monotonic(), file.size))
            while sizes[0][0] < before:
                old = sizes.popleft()[1]
            try:
                if old:
                    file.blank(old)
            except (DamagedError, FileNotFoundError):
                continue  # told when its process has ended; or it has become full

    def report(self, now: float) -> bytes:
        """Return the program's metrics as an OTLP request in JSON."""
        gap, since = self.gap
        return report.request(
            self.settings.instance,
            size=sum(path.lstat().st_size for path in self.settings.folder.iterdir()),
            gap=gap if now - since < self.settings.wait else 0.0,
            damaged=self.damaged,
            replayed=self.replayed,
        )


def joined(messages: Iterable[TracesData]) -> Iterator[TracesData]:
    """Yield the same spans in fewer messages, of REQUEST_BYTES or one original message more."""
    request, size = TracesData(), 0
    for message in messages:
        request.MergeFrom(message)
        size += message.ByteSize()
        if size >= REQUEST_BYTES:
            yield request
            request, size = TracesData(), 0
    if size:
        yield request


def readable(files: Sequence[SpanFile]) -> Iterator[TracesData]:
    """Yield the messages of files, as far as they can be read."""
    for file in files:
        try:
            yield from file.messages()
        except (DamagedError, FileNotFoundError):
            continue


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
