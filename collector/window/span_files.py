"""The files that the `file` exporter writes for the sampling window, and what is in them.

A file is a sequence of records: a length (32 bits, big-endian), then a `TracesData` message. One
process writes `RUN.spans`, and renames it to `RUN-<UTC time>-size.spans` when it is full.
https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/v0.161.0/exporter/fileexporter
"""

import os
import re
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from google.protobuf.message import DecodeError
from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans, Span, TracesData

# The RUN that Linux makes ends with a line break, as the file it is read from does.
NAME = re.compile(r"(.+?)(-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}-size)?\.spans", re.S)
LENGTH = struct.Struct(">I")
LONGEST = 128 << 20  # bytes of a record; receivers take 64 MiB
REPLAYED = "window.handed_on"  # scope attribute of spans that are replayed for the decision only
DECIDED = "tailsampling.policy"  # scope attribute that the sampler writes to what it keeps


class DamagedError(Exception):
    """The rest of the file cannot be read; the message says why."""


class SpanFile:
    """One file of a process.

    Attributes:
        run: what the names of all files of one process begin with.
        full: whether it has been renamed, and is not written to any more.
        written: when it was last written to, in seconds since 1970.
        size: its bytes.
        inode: what stays when it is renamed, and the next file gets its name.
    """

    def __init__(self, path: Path) -> None:
        name = NAME.fullmatch(path.name)
        if name is None:
            raise ValueError(f"{visible(path)} is not a file of the sampling window")
        self.path, self.run, self.full = path, name[1], name[2] is not None
        there = path.stat()
        self.written, self.size, self.inode = there.st_mtime, there.st_size, there.st_ino

    def __str__(self) -> str:
        return visible(self.path)

    def messages(self) -> Iterator[TracesData]:
        """Yield its messages, without an incomplete last one.

        Raises:
            DamagedError: a record is not one.
        """
        for at, body in records(self.path):
            try:
                yield TracesData.FromString(body)
            except DecodeError:
                raise DamagedError(f"the record at byte {at} is not a TracesData message") from None

    def blank(self, limit: int) -> None:
        """Overwrite the records that end before this byte with one record of zeros.

        Raises:
            DamagedError: a length is impossible.
        """
        with self.path.open("rb+") as file:
            if os.fstat(file.fileno()).st_ino != self.inode:
                return  # it has become full, and this is the next one
            end = whole(file, limit)
            file.seek(0)
            (length,) = LENGTH.unpack(file.read(LENGTH.size)) if end else (0,)
            blanked = LENGTH.size + length if file.read(1) == b"\0" else LENGTH.size + 1
            if blanked < end:
                file.seek(0)
                file.write(LENGTH.pack(end - LENGTH.size) + b"\0")  # readers skip it from now on
                file.flush()
                file.seek(blanked)
                file.write(bytes(end - blanked))


def visible(path: Path) -> str:
    """Return the name of a file without line breaks."""
    return path.name.replace("\n", "")


def span_files(folder: Path) -> list[SpanFile]:
    """Return the folder's files in the order of their last writes."""
    found = list[SpanFile]()
    for path in folder.iterdir():
        if NAME.fullmatch(path.name) and path.is_file():
            try:
                found.append(SpanFile(path))
            except FileNotFoundError:
                continue  # the collector renamed or removed it
    return sorted(found, key=lambda file: (file.written, not file.full))


def records(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield where each record begins, and its body; not those of zeros, nor an incomplete last one.

    Raises:
        DamagedError: a length is impossible.
    """
    at = 0
    with path.open("rb") as file:
        while len(head := file.read(LENGTH.size)) == LENGTH.size:
            (length,) = LENGTH.unpack(head)
            if length > LONGEST:
                raise DamagedError(f"the record at byte {at} would have {length} bytes")
            body = file.read(length)
            if len(body) < length:
                return
            if not body.startswith(b"\0"):
                yield at, body
            at += LENGTH.size + length


def whole(file: BinaryIO, limit: int) -> int:
    """Return where the last record ends that is whole before a limit; both in bytes.

    Raises:
        DamagedError: a length is impossible.
    """
    at = 0
    while len(head := file.read(LENGTH.size)) == LENGTH.size:
        (length,) = LENGTH.unpack(head)
        if length > LONGEST:
            raise DamagedError(f"the record at byte {at} would have {length} bytes")
        if at + LENGTH.size + length > limit:
            break
        at += LENGTH.size + length
        file.seek(at)
    return at


def scopes_of(message: TracesData) -> Iterator[ScopeSpans]:
    """Yield the spans of each scope."""
    for resource in message.resource_spans:
        yield from resource.scope_spans


def key(span: Span) -> bytes:
    """Return what identifies a span."""
    return span.trace_id + span.span_id


def is_handed_on(scope: ScopeSpans) -> bool:
    """Tell whether these spans were written to the exporter's queue before."""
    return any(item.key in {REPLAYED, DECIDED} for item in scope.scope.attributes)


def handed_on(messages: Iterable[TracesData]) -> set[bytes]:
    """Return the keys of the spans that were written to the exporter's queue."""
    scopes = (scope for message in messages for scope in scopes_of(message) if is_handed_on(scope))
    return {key(span) for scope in scopes for span in scope.spans}


def keys(messages: Iterable[TracesData]) -> set[bytes]:
    """Return the keys of all spans."""
    return {key(s) for message in messages for scope in scopes_of(message) for s in scope.spans}


def replayable(message: TracesData, done: set[bytes], handed_on: set[bytes]) -> bool:
    """Reduce a message to what has to be replayed; tell whether anything is left.

    Args:
        message: changed in place.
        done: keys of spans that were replayed already; those of the message are added.
        handed_on: keys of spans that must not be exported again, and are marked.
    """
    for resource in message.resource_spans:
        marked = list[ScopeSpans]()
        for scope in resource.scope_spans:
            known = is_handed_on(scope)
            new = [span for span in scope.spans if key(span) not in done]
            done.update(map(key, new))
            again = [span for span in new if known or key(span) in handed_on]
            if again:
                marked.append(marked_copy(scope, again))
            fresh = [span for span in new if not (known or key(span) in handed_on)]
            if len(fresh) < len(scope.spans):
                kept = [Span.FromString(span.SerializeToString()) for span in fresh]
                del scope.spans[:]
                scope.spans.extend(kept)
        resource.scope_spans.extend(marked)
    return any(scope.spans for scope in scopes_of(message))


def marked_copy(scope: ScopeSpans, spans: Iterable[Span]) -> ScopeSpans:
    """Return these spans in a scope that says that they were handed on."""
    copy = ScopeSpans(scope=scope.scope, schema_url=scope.schema_url, spans=spans)
    if not any(item.key == REPLAYED for item in copy.scope.attributes):
        copy.scope.attributes.add(key=REPLAYED).value.bool_value = True
    return copy
