"""The machine of the figures, and the CPU time of a process on it."""

import os
import platform
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from stack.tools import toolchain
from stack.tools.finding import version_of
from stack.tools.programs import COLLECTOR_TOOL


def describe() -> dict[str, Any]:
    """Return a description of the machine and the programs."""
    version = version_of([str(toolchain.collector()), "--version"]) or ()
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "collector": COLLECTOR_TOOL.fingerprint,
        "collector_version": ".".join(map(str, version)),
        "load_average_before": round(psutil.getloadavg()[0], 1),
    }


def in_words(own: Mapping[str, Any]) -> str:
    """Return the machine of a description in short."""
    return "{processor}, {cores} cores, {memory_gb} GB, {system}".format(**own)


def cpu_seconds(pid: int) -> float:
    """Return a process's CPU seconds so far, user and system, over all its threads."""
    if sys.platform == "linux":  # the process's CPU clock: man 3 clock_getcpuclockid
        return time.clock_gettime((~pid << 3) | 2)
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def processor() -> str:
    """Return the processor's name, if the system reports it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())
