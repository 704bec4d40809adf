"""A temporary folder in memory, where the sampling window may be."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")


@contextmanager
def memory_folder() -> Iterator[Path]:
    """Create it; it is removed with all that is in it."""
    assert SHARED_MEMORY.is_dir(), "these tests need Linux's /dev/shm: run them on Linux"
    folder = Path(tempfile.mkdtemp(dir=SHARED_MEMORY, prefix="window-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
