"""A launcher for the tests: starts three children, one that ignores SIGTERM, one with a child.

`python launcher.py FOLDER`: a child that is ready has written a file there.
"""

import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from otelcol_runner.process import Process

PLAIN = 'touch "$0/plain"; exec sleep 600'
STUBBORN = 'trap "" TERM INT HUP; touch "$0/stubborn"; while :; do sleep 1; done'
PARENT = 'sleep 600 & touch "$0/parent"; wait'


def main(folder: Path) -> None:
    scripts = {"plain": PLAIN, "stubborn": STUBBORN, "parent": PARENT}
    children = [child(name, script, folder) for name, script in scripts.items()]
    # In threads that end, as when the pipeline starts.
    with ThreadPoolExecutor() as pool:
        list(pool.map(Process.start, children))
    (folder / "all").touch()
    signal.pause()


def child(name: str, script: str, folder: Path) -> Process:
    argv = ["/bin/sh", "-c", script, str(folder)]
    return Process(name, argv, ready=(folder / name).exists)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
