"""The collector with a list of the shipped configuration files."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from otelcol_runner.process import Process, ProcessFailedError

from stack.errors import UserError
from stack.paths import COLLECTOR
from stack.services.health import answers
from stack.tools import toolchain

FEATURE_GATES = (
    "--feature-gates=processor.tailsamplingprocessor.recordpolicy,"
    "processor.tailsamplingprocessor.metricstatcountspanssampled"
)
MISSING_COMPONENT = (
    "this collector was built without that component: put otelcol-contrib 0.161 or newer on "
    "PATH, or add it to the build (collector/distribution/README.md)"
)


class Collector(Process):
    """The collector with a list of configuration files, configured further by variables.

    Args:
        configs: files in `collector/` without their suffix ("routes/hybrid"), or paths.
        env: the variables of the configuration, including `HEALTH_LISTEN`.
    """

    def __init__(self, configs: Sequence[str | Path], env: Mapping[str, str]) -> None:
        files = [config_file(config) for config in configs]
        health = env["HEALTH_LISTEN"]
        super().__init__(
            "collector",
            [
                toolchain.collector(),
                FEATURE_GATES,
                *(f"--config=file:{path}" for path in files),
            ],
            env=env,
            ready=lambda: answers(f"http://{health}/"),
            stop_timeout=60.0,  # a running remote write may end by its timeout of 30 s
        )

    def start(self) -> None:
        """Move damaged queue files aside, then start; raises `ProcessFailedError`."""
        if folder := self.env.get("COLLECTOR_QUEUE_DIR"):
            check_queue(folder)
        try:
            super().start()
        except ProcessFailedError as error:
            if "unknown type" not in str(error):
                raise
            raise ProcessFailedError(f"{error}\n{MISSING_COMPONENT}") from None


def check_queue(folder: str | Path) -> str:
    """Check a folder of queue files; prints the check's messages to stderr and returns them.

    Raises:
        ProcessFailedError: the check failed.
    """
    command = [sys.executable, str(COLLECTOR / "guard" / "check_queue.py"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ProcessFailedError(done.stderr.strip())
    sys.stderr.write(done.stderr)
    return done.stderr


def config_file(config: str | Path) -> Path:
    """Return the path of a file in `collector/` (named without suffix), or a path unchanged.

    Raises:
        UserError: there is no such file.
    """
    path = Path(config)
    if path.suffix in {".yaml", ".yml"}:
        if not path.is_file():
            raise UserError(
                f"there is no file {path}: give an existing one, or a name without suffix"
            )
        return path
    found = COLLECTOR / f"{config}.yaml"
    if not found.exists():
        near = sorted(p.stem for p in found.parent.glob("*.yaml"))
        raise UserError(f"there is no collector/{config}.yaml: choose one of {', '.join(near)}")
    return found
