"""The Aspire dashboard, from its npm package: a local viewer of traces, logs and metrics."""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from otelcol_runner.ports import place
from otelcol_runner.process import Process

from stack.errors import UserError
from stack.paths import cache_dir
from stack.services.health import answers

VERSION = "13.5.4"  # npm has none before 13.5.3, and the image in compose none after 13.5.2
MACHINES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}
SYSTEMS = {"linux": "linux", "darwin": "osx"}


class Aspire(Process):
    """The dashboard: web pages on `port`, OTLP over HTTP on `otlp` and over gRPC on `grpc`."""

    def __init__(self, binary: Path, port: int, otlp: int, grpc: int, state: Path) -> None:
        super().__init__(
            "viewer",
            [
                *(binary, "dashboard", "run", "--nologo", "--non-interactive"),
                "--allow-anonymous",
                f"--frontend-url=http://{place(port)}",
                f"--otlp-http-url=http://{place(otlp)}",
                f"--otlp-grpc-url=http://127.0.0.1:{grpc}",
            ],
            env={**settings(binary), "TMPDIR": str(state)},
            ready=lambda: answers(f"http://{place(port)}/"),
            ready_timeout=60.0,  # the first start unpacks 300 MB
        )


def provide(report: Callable[[str], None]) -> Path:
    """Return the binary, from the cache or from npm; raises `UserError` if that fails."""
    name = package()
    home = cache_dir() / f"aspire-{VERSION}"
    binary = home / "aspire"
    if not binary.exists():
        report(f"installing the Aspire dashboard {VERSION} (once, 130 MB, cached in {home})")
        install(name, binary)
    return binary


def package() -> str:
    """Return the npm package for this machine; raises `UserError` if there is none."""
    system, machine = SYSTEMS.get(sys.platform), MACHINES.get(platform.machine().lower())
    if system is None or machine is None:
        raise UserError(
            f"VIEWER=aspire: there is no Aspire dashboard for {platform.system()} on "
            f"{platform.machine()}: run it without VIEWER"
        )
    return f"@microsoft/aspire-cli-{system}-{machine}@{VERSION}"


def install(name: str, binary: Path) -> None:
    """Install the package, and keep only its binary; raises `UserError`."""
    npm = shutil.which("npm")
    if npm is None:
        raise UserError("VIEWER=aspire needs npm: install Node.js, or run it without VIEWER")
    binary.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=binary.parent, prefix="install-") as scratch:
        command = [npm, "install", f"--prefix={scratch}", "--no-audit", "--no-fund", name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        found = next(Path(scratch).glob("node_modules/@microsoft/*/bin/aspire"), None)
        if done.returncode or found is None:
            said = (done.stderr.strip().splitlines() or ["the package holds no binary"])[0]
            raise UserError(
                f"VIEWER=aspire: npm could not install {name}: check the connection, or run it "
                f"without VIEWER ({said})"
            )
        # Move it out of node_modules, where it would take itself for an npm installation.
        copy = Path(scratch) / "aspire"
        shutil.copy(found, copy)
        quiet = ("config", "set", "features.updateNotificationsEnabled", "false", "--global")
        variables = {**os.environ, **settings(binary)}
        subprocess.run([copy, *quiet], env=variables, capture_output=True, check=False)
        copy.replace(binary)


def settings(binary: Path) -> dict[str, str]:
    """Return its variables: a home folder in the cache, and no telemetry of its own."""
    return {
        "HOME": str(binary.parent),
        "ASPIRE_CLI_TELEMETRY_OPTOUT": "true",
        "DOTNET_CLI_TELEMETRY_OPTOUT": "1",
        "DOTNET_EnableDiagnostics": "0",  # else it leaves sockets in the temporary folder
    }
