"""The tables in memory: the newest rows in Arrow batches, limited in rows and in bytes."""

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import pyarrow as pa
import pyarrow.compute as pc

from stack.standins.logfire.ingest.decoded import Decoded, Row
from stack.standins.logfire.schema import METRICS, RECORDS, TIME_COLUMN

BATCH_ROWS = 8192
TABLE_BYTES = 256 * 2**20


@dataclass
class Counts:
    """Counts since the start or the last reset."""

    requests: int = 0
    refused: int = 0
    bytes: int = 0
    spans: int = 0
    logs: int = 0
    metric_points: int = 0
    rejected: int = 0
    dropped_out_of_window: int = 0
    forgotten: int = 0


class Table:
    """Arrow batches of at most `max_rows` rows and 256 MiB; the oldest rows are evicted first."""

    def __init__(self, schema: pa.Schema, max_rows: int) -> None:
        self.schema, self.max_rows = schema, max_rows
        self.batches: deque[pa.RecordBatch] = deque()
        self.rows = self.bytes = 0

    def append(self, rows: list[Row]) -> int:
        """Add rows; return how many old ones were evicted."""
        for first in range(0, len(rows), BATCH_ROWS):
            columns = zip(*rows[first : first + BATCH_ROWS], strict=True)
            arrays = [
                pa.array(column, field.type)
                for column, field in zip(columns, self.schema, strict=True)
            ]
            self._push(pa.RecordBatch.from_arrays(arrays, schema=self.schema))
        return self._evict()

    def _push(self, batch: pa.RecordBatch) -> None:
        # Batch sizes double, as in a binary counter: many small requests become few large batches,
        # and a row is copied at most log2(8192) times.
        while self.batches and self._mergeable(self.batches[-1], batch):
            batch = pa.concat_batches([self._pop_newest(), batch])
        self.batches.append(batch)
        self.rows += batch.num_rows
        self.bytes += batch.nbytes

    @staticmethod
    def _mergeable(newest: pa.RecordBatch, batch: pa.RecordBatch) -> bool:
        fits = newest.num_rows + batch.num_rows <= BATCH_ROWS
        return bool(fits and newest.num_rows <= 2 * batch.num_rows)

    def _pop_newest(self) -> pa.RecordBatch:
        batch = self.batches.pop()
        self.rows -= batch.num_rows
        self.bytes -= batch.nbytes
        return batch

    def _evict(self) -> int:
        forgotten = 0
        while self.rows > self.max_rows or (self.bytes > TABLE_BYTES and len(self.batches) > 1):
            oldest = self.batches.popleft()
            excess = self.rows - self.max_rows
            gone = excess if 0 < excess < oldest.num_rows else oldest.num_rows
            self.rows -= gone
            self.bytes -= oldest.nbytes
            forgotten += gone
            if gone < oldest.num_rows:
                kept = oldest.slice(gone)
                self.batches.appendleft(kept)
                self.bytes += kept.nbytes
        return forgotten

    def clear(self) -> None:
        self.batches.clear()
        self.rows = self.bytes = 0


class Store:
    """Both tables and the counts; thread-safe."""

    def __init__(self, max_rows: int) -> None:
        self.tables = {"records": Table(RECORDS, max_rows), "metrics": Table(METRICS, max_rows)}
        self.counts = Counts()
        self._lock = threading.Lock()

    def add(self, decoded: Decoded, signal: str) -> None:
        """Add a decoded request; `signal` names the count: spans, logs or metric_points."""
        with self._lock:
            self.counts.forgotten += self.tables[decoded.table].append(decoded.rows)
            self.counts.rejected += decoded.rejected
            self.counts.dropped_out_of_window += decoded.out_of_window
            setattr(self.counts, signal, getattr(self.counts, signal) + len(decoded.rows))

    def count(self, *, refused: bool, body_bytes: int) -> None:
        with self._lock:
            self.counts.requests += 1
            self.counts.refused += refused
            self.counts.bytes += body_bytes

    def snapshot(self, name: str, oldest: int, newest: int | None) -> list[pa.RecordBatch]:
        """Return the rows of a table between two times (microseconds since the epoch)."""
        with self._lock:
            batches = list(self.tables[name].batches)
        return list(within(batches, TIME_COLUMN[name], oldest, newest))

    def counted(self) -> dict[str, int]:
        with self._lock:
            return asdict(self.counts)

    def clear(self) -> None:
        with self._lock:
            self.counts = Counts()
            for table in self.tables.values():
                table.clear()


def within(
    batches: list[pa.RecordBatch], column: str, oldest: int, newest: int | None
) -> Iterator[pa.RecordBatch]:
    """Yield the rows in the range; a batch that is entirely in it is not copied."""
    for batch in batches:
        times = batch.column(column).cast(pa.int64())
        inside = pc.greater_equal(times, oldest)
        if newest is not None:
            inside = pc.and_(inside, pc.less_equal(times, newest))
        hits = inside.true_count
        if hits:
            yield batch if hits == batch.num_rows else batch.filter(inside)
