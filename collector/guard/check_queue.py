"""Moves damaged queue files aside, so that the collector can start.

Run it before each start: python check_queue.py DIR

The queues of `file_storage` are bbolt databases. If a header or page is overwritten or truncated,
the collector fails to start or panics (contrib #35899; `recreate` fixes only some cases). This
checks what bbolt relies on: headers, bounds, page types and IDs, the order of keys, and the
indexes of the queue. It renames a damaged file to `NAME.damaged-<UTC time>` and reports it on
stderr. Values have no checksum: neither this nor bbolt detects a flipped bit in an item; the
collector drops only that item.

Exits with 0 unless a file cannot be read or moved. Requires Python 3.11 or newer, no packages.
Format: https://github.com/etcd-io/bbolt/tree/v1.5.0/internal/common (version 2).
"""

import fcntl
import mmap
import os
import re
import struct
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

QUEUE_FILE = re.compile(r"(receiver|processor|exporter|extension|connector)_[^~]\S*|[0-9a-f]{64}")
SET_ASIDE = re.compile(r"\.(damaged-\d{8}T\d+Z|backup)$")
MAGIC, VERSION = 0xED0CDAED, 2
BRANCH, LEAF, FREELIST = 0x01, 0x02, 0x10
NO_FREELIST = 2**64 - 1
# Native byte order, which bbolt uses.
PAGE = struct.Struct("=QHHI")  # ID, type, number of entries, number of overflow pages
BRANCH_ENTRY = struct.Struct("=IIQ")  # offset of the key, from here; its size; page of the child
LEAF_ENTRY = struct.Struct("=IIII")  # flags (1: bucket); offset of the key; its size; value size
BUCKET = struct.Struct("=QQ")  # root page (0: the page follows inline); sequence
STATE_KEY = b"qmv0"  # key of the queue's indexes
QUEUE_STATE = re.compile(
    rb"((?:[\x09\x11\x19\x21].{8})*)(?:\x2a[\x80-\xff]*[\x00-\x7f](?:.{8})+)?", re.S
)
READ_INDEX, WRITE_INDEX = 0x19, 0x21  # fields 3 and 4


class DamagedError(Exception):
    """The collector could not use the file; the message says why."""


class Meta(NamedTuple):
    """A header of the database; of two valid ones, the newer one is in force."""

    magic: int
    version: int
    page_size: int
    flags: int
    root: int
    sequence: int
    freelist: int
    high_water: int  # first page that is not in use
    transaction: int
    checksum: int


class Entry(NamedTuple):
    """An entry of a page: branch entries have a child, leaf entries a value."""

    key: bytes
    child: int
    value: memoryview
    is_bucket: bool


META = struct.Struct("=IIIIQQQQQQ")


def main(arguments: list[str]) -> int:
    """Check all queue files of a folder, which may not exist yet; return the exit code."""
    if len(arguments) != 1:
        return say("pass one folder: python check_queue.py DIR", code=2)
    code, folder = 0, Path(arguments[0])
    try:
        paths = sorted(folder.iterdir()) if folder.exists() else []
    except OSError as error:
        return say(f"{folder} cannot be read ({error.strerror}): run this as the collector's user")
    if folder.exists() and not os.access(folder, os.W_OK):
        return say(f"{folder} is not writable: make the collector's user its owner with chown")
    for path in paths:
        named = QUEUE_FILE.fullmatch(path.name) and not SET_ASIDE.search(path.name)
        if named and path.is_file():
            code |= check_file(path)
    return code


def check_file(path: Path) -> int:
    """Check one file and move it aside if it is damaged; return the exit code."""
    try:
        with path.open("rb+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the lock that bbolt takes
            why = damage(file.fileno())
            if why:
                stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
                kept = path.rename(f"{path}.damaged-{stamp}")
                say(
                    f"{path} is damaged ({why}): it was kept as {kept.name}, and the collector"
                    " starts with an empty queue; the backlog in the damaged file is not sent, so"
                    " delete the file when you no longer need it"
                )
    except BlockingIOError:
        say(f"{path} is in use by a running collector, so it was not checked", code=0)
    except OSError as error:
        why = error.strerror or str(error)
        return say(f"{path} cannot be checked ({why}): run this as the collector's user")
    return 0


def say(sentence: str, *, code: int = 1) -> int:
    """Print a sentence to stderr and return the exit code."""
    sys.stderr.write(f"check_queue: {sentence}\n")
    return code


def damage(file: int) -> str:
    """Return what is wrong with a database, or an empty string."""
    try:
        data = memoryview(mmap.mmap(file, 0, access=mmap.ACCESS_READ))
    except ValueError:
        return ""  # bbolt initializes an empty file
    try:
        Database(data).check()
    except DamagedError as error:
        return str(error)
    return ""


class Database:
    """A bbolt database as `file_storage` creates it: buckets of values, without sub-buckets."""

    def __init__(self, data: memoryview) -> None:
        self.data = data
        self.meta = newest_header(data)
        if self.meta.high_water * self.meta.page_size > len(data):
            wanted = self.meta.high_water * self.meta.page_size
            raise DamagedError(f"it is truncated to {len(data)} of {wanted} bytes")
        self.seen = bytearray(self.meta.high_water)

    def check(self) -> None:
        """Check all pages in use. Raises `DamagedError`."""
        for bucket in self._leaves(self.meta.root):
            if not bucket.is_bucket or len(bucket.value) < BUCKET.size:
                raise DamagedError(f"the entry {bucket.key[:20]!r} is not a bucket")
            root, _ = BUCKET.unpack_from(bucket.value)
            entries = self._leaves(root) if root else inline(bucket.value[BUCKET.size :])
            for entry in entries:
                if entry.is_bucket:
                    raise DamagedError(f"the entry {entry.key[:20]!r} is not a value")
                if entry.key == STATE_KEY:
                    check_queue_state(bytes(entry.value))
        if self.meta.freelist != NO_FREELIST:
            self._check_freelist(self.meta.freelist)

    def _leaves(self, number: int, low: bytes = b"", high: bytes | None = None) -> Iterator[Entry]:
        """Yield the leaf entries of a tree, whose keys must be from `low` to below `high`."""
        kind, count, run = self._page(number, BRANCH, LEAF)
        found = list(entries_of(run, kind, count, f"page {number}"))
        keys = [entry.key for entry in found]
        in_order = all(one < next_one for one, next_one in pairwise(keys))
        if keys and not (in_order and low <= keys[0] and (high is None or keys[-1] < high)):
            raise DamagedError(f"the keys of page {number} are not in order")
        if not found and (kind == BRANCH or low):
            raise DamagedError(f"page {number} is empty")
        if kind == LEAF:
            yield from found
            return
        for entry, end in zip(found, [*keys[1:], high], strict=True):
            yield from self._leaves(entry.child, entry.key, end)

    def _page(self, number: int, *kinds: int) -> tuple[int, int, memoryview]:
        """Return the type, number of entries and bytes of a page, which may be used only once."""
        if not 2 <= number < self.meta.high_water:
            raise DamagedError(f"it refers to page {number}, which does not exist")
        start = number * self.meta.page_size
        name, kind, count, further = PAGE.unpack_from(self.data, start)
        end = number + 1 + further
        if name != number or kind not in kinds or end > self.meta.high_water:
            raise DamagedError(f"page {number} was overwritten")
        if any(self.seen[number:end]):
            raise DamagedError(f"page {number} is used twice")
        self.seen[number:end] = b"\1" * (end - number)
        return kind, count, self.data[start : end * self.meta.page_size]

    def _check_freelist(self, number: int) -> None:
        _, count, run = self._page(number, FREELIST)
        ids = run[PAGE.size : PAGE.size + 8 * count].cast("Q")
        if len(ids) < count or not all(2 <= i < len(self.seen) and not self.seen[i] for i in ids):
            raise DamagedError("its list of free pages is invalid")


def newest_header(data: memoryview) -> Meta:
    """Return the header in force. The offset of the second one depends on the page size."""
    first = header_at(data, 0)
    found = first or next(filter(None, (header_at(data, 1024 << n) for n in range(15))), None)
    second = header_at(data, found.page_size) if found else None
    valid = [header for header in (first, second) if header]
    if not valid:
        raise DamagedError("neither of its two headers is valid")
    return max(valid, key=lambda header: header.transaction)


def header_at(data: memoryview, start: int) -> Meta | None:
    """Return the header of the page at this offset, if it is valid."""
    start += PAGE.size
    raw = bytes(data[start : start + META.size])
    if len(raw) < META.size:
        return None
    meta = Meta(*META.unpack(raw))
    known = (meta.magic, meta.version) == (MAGIC, VERSION)
    return meta if known and meta.checksum == fnv1a(raw[:-8]) else None


def fnv1a(text: bytes) -> int:
    """Return the 64-bit FNV-1a hash."""
    value = 0xCBF29CE484222325
    for byte in text:
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return value


def inline(page: memoryview) -> Iterator[Entry]:
    """Yield the entries of an inline bucket, whose only page is stored in its own entry."""
    number, kind, count, further = PAGE.unpack_from(page) if len(page) >= PAGE.size else (0,) * 4
    if (number, kind, further) != (0, LEAF, 0):
        raise DamagedError("an inline bucket has no valid page")
    yield from entries_of(page, kind, count, "an inline bucket")


def entries_of(run: memoryview, kind: int, count: int, what: str) -> Iterator[Entry]:
    """Yield the entries of a page: all offsets first, then keys and values without gaps."""
    at = PAGE.size + LEAF_ENTRY.size * count
    if at > len(run):
        raise DamagedError(f"{what} was overwritten")
    for place in range(PAGE.size, at, LEAF_ENTRY.size):
        if kind == LEAF:
            flags, offset, key_size, value_size = LEAF_ENTRY.unpack_from(run, place)
            child = 0
        else:
            offset, key_size, child = BRANCH_ENTRY.unpack_from(run, place)
            flags = value_size = 0
        end = at + key_size
        if place + offset != at or not key_size or flags > 1 or end + value_size > len(run):
            raise DamagedError(f"an entry of {what} was overwritten")
        yield Entry(bytes(run[at:end]), child, run[end : end + value_size], bool(flags))
        at = end + value_size


def check_queue_state(state: bytes) -> None:
    """Check the indexes: if they are wrong, the collector starts but never sends the backlog.

    They are protobuf with fixed64 fields only (`meta.proto` in the collector's exporterhelper).
    """
    parts = QUEUE_STATE.fullmatch(state)
    numbers = struct.iter_unpack("<BQ", parts[1]) if parts else ()
    fields = dict(numbers)
    if parts is None or fields.get(READ_INDEX, 0) > fields.get(WRITE_INDEX, 0):
        raise DamagedError("the indexes of the queue were overwritten")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
