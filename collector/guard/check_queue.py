"""Moves damaged queue files aside, so that the collector starts.

Run it before each start: python check_queue.py DIR

The queues of `file_storage` are bbolt databases, and the collector does not start, or panics, on
one whose header or pages were overwritten or cut off (contrib #35899; `recreate` mends only some).
What bbolt would stumble over is looked for here: headers, bounds, page types and ids, the order of
keys, and the queue's own account of what waits. A damaged file is renamed to
`NAME.damaged-<UTC time>` and named on stderr. Values carry no checksum: an item with a flipped bit
inside is not noticed, neither here nor by bbolt; the collector drops it alone.

Exits with 0 unless a file could not be read or moved. Needs Python 3.11 and nothing else.
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
# The machine's own byte order, as bbolt writes it.
PAGE = struct.Struct("=QHHI")  # id, type, entries, further pages it runs over
BRANCH_ENTRY = struct.Struct("=IIQ")  # where the key is, from here; its size; the child's page
LEAF_ENTRY = struct.Struct("=IIII")  # 1: a bucket; where the key is; its size; the value's size
BUCKET = struct.Struct("=QQ")  # its first page, 0: the page follows inline; a sequence
STATE_KEY = b"qmv0"  # where the queue keeps its indexes
QUEUE_STATE = re.compile(
    rb"((?:[\x09\x11\x19\x21].{8})*)(?:\x2a[\x80-\xff]*[\x00-\x7f](?:.{8})+)?", re.S
)
READ_INDEX, WRITE_INDEX = 0x19, 0x21  # fields 3 and 4


class DamagedError(Exception):
    """Why the collector could not use a file."""


class Meta(NamedTuple):
    """A header of the database; the newer of the two that is valid counts."""

    magic: int
    version: int
    page_size: int
    flags: int
    root: int
    sequence: int
    freelist: int
    high_water: int  # pages from here on are not in use
    transaction: int
    checksum: int


class Entry(NamedTuple):
    """An entry of a page: a branch has a child, a leaf a value."""

    key: bytes
    child: int
    value: memoryview
    is_bucket: bool


META = struct.Struct("=IIIIQQQQQQ")


def main(arguments: list[str]) -> int:
    """Check every queue file of a folder; a folder that is not there yet has none."""
    if len(arguments) != 1:
        return say("give it one folder: python check_queue.py DIR", code=2)
    code, folder = 0, Path(arguments[0])
    try:
        paths = sorted(folder.iterdir()) if folder.exists() else []
    except OSError as error:
        return say(f"{folder} cannot be read ({error.strerror}): run this as the collector's user")
    if folder.exists() and not os.access(folder, os.W_OK):
        return say(f"{folder} cannot be written: give it to the collector's user with chown")
    for path in paths:
        named = QUEUE_FILE.fullmatch(path.name) and not SET_ASIDE.search(path.name)
        if named and path.is_file():
            code |= attend_to(path)
    return code


def attend_to(path: Path) -> int:
    """Check one file, and move it aside when it is damaged; returns the exit code."""
    try:
        with path.open("rb+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the lock bbolt takes
            why = damage(file.fileno())
            if why:
                stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
                kept = path.rename(f"{path}.damaged-{stamp}")
                say(
                    f"{path} is damaged ({why}): it is kept as {kept.name} and the collector starts"
                    " with an empty queue in its place; what waited in it is not sent, delete it"
                    " when you have no use for it"
                )
    except BlockingIOError:
        say(f"{path} is in use by a running collector, so it was not checked", code=0)
    except OSError as error:
        why = error.strerror or str(error)
        return say(f"{path} cannot be checked ({why}): run this as the collector's user")
    return 0


def say(sentence: str, *, code: int = 1) -> int:
    """Print a sentence on stderr and return an exit code."""
    sys.stderr.write(f"check_queue: {sentence}\n")
    return code


def damage(file: int) -> str:
    """Return what is wrong with a database, or nothing."""
    try:
        data = memoryview(mmap.mmap(file, 0, access=mmap.ACCESS_READ))
    except ValueError:
        return ""  # bbolt fills an empty file
    try:
        Database(data).check()
    except DamagedError as error:
        return str(error)
    return ""


class Database:
    """A bbolt database as `file_storage` makes it: buckets of plain values."""

    def __init__(self, data: memoryview) -> None:
        self.data = data
        self.meta = newest_header(data)
        if self.meta.high_water * self.meta.page_size > len(data):
            wanted = self.meta.high_water * self.meta.page_size
            raise DamagedError(f"it was cut off: {len(data)} bytes of {wanted} are there")
        self.seen = bytearray(self.meta.high_water)

    def check(self) -> None:
        """Walk everything that is in use. Raises `DamagedError`."""
        for bucket in self._leaves(self.meta.root):
            if not bucket.is_bucket or len(bucket.value) < BUCKET.size:
                raise DamagedError(f"its bucket {bucket.key[:20]!r} is none")
            root, _ = BUCKET.unpack_from(bucket.value)
            entries = self._leaves(root) if root else inline(bucket.value[BUCKET.size :])
            for entry in entries:
                if entry.is_bucket:
                    raise DamagedError(f"its item {entry.key[:20]!r} is none")
                if entry.key == STATE_KEY:
                    check_queue_state(bytes(entry.value))
        if self.meta.freelist != NO_FREELIST:
            self._check_freelist(self.meta.freelist)

    def _leaves(self, number: int, low: bytes = b"", high: bytes | None = None) -> Iterator[Entry]:
        """Yield the entries of a tree's leaves, whose keys lie from `low` to below `high`."""
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
        """Return a page's type, number of entries and bytes; each may be asked for once."""
        if not 2 <= number < self.meta.high_water:
            raise DamagedError(f"it refers to page {number}, which it does not have")
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
            raise DamagedError("its list of free pages is wrong")


def newest_header(data: memoryview) -> Meta:
    """Return the header in force. The second one's place depends on the page size."""
    first = header_at(data, 0)
    found = first or next(filter(None, (header_at(data, 1024 << n) for n in range(15))), None)
    second = header_at(data, found.page_size) if found else None
    valid = [header for header in (first, second) if header]
    if not valid:
        raise DamagedError("neither of its two headers is valid")
    return max(valid, key=lambda header: header.transaction)


def header_at(data: memoryview, start: int) -> Meta | None:
    """Return the header of the page at this byte, if it is valid."""
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
    """Yield the entries of a small bucket, whose one page is kept in its own entry."""
    number, kind, count, further = PAGE.unpack_from(page) if len(page) >= PAGE.size else (0,) * 4
    if (number, kind, further) != (0, LEAF, 0):
        raise DamagedError("its small bucket has no page")
    yield from entries_of(page, kind, count, "its small bucket")


def entries_of(run: memoryview, kind: int, count: int, what: str) -> Iterator[Entry]:
    """Yield a page's entries: first all their places, then keys and values without a gap."""
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
    """Check the indexes: with wrong ones the collector starts, and never sends what waits.

    They are protobuf, fixed64 fields alone (`meta.proto` in the collector's exporterhelper).
    """
    parts = QUEUE_STATE.fullmatch(state)
    numbers = struct.iter_unpack("<BQ", parts[1]) if parts else ()
    fields = dict(numbers)
    if parts is None or fields.get(READ_INDEX, 0) > fields.get(WRITE_INDEX, 0):
        raise DamagedError("its account of what waits was overwritten")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
