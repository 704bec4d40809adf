"""What the programs are: the version that fits on PATH, and the locked Go module that builds it."""

import hashlib
import platform
import re
from dataclasses import dataclass
from pathlib import Path

from stack.paths import COLLECTOR

LOCKS = Path(__file__).parent / "go"
FLAGS = ("-trimpath",)
# A workspace around the checkout would replace the locks. Without cgo the tag `netgo` is no use.
ENVIRONMENT = {"CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false", "GOWORK": "off"}
SYSTEM = f"{platform.system()} {platform.machine()}"


@dataclass(frozen=True)
class Module:
    """A Go module whose go.mod and go.sum lock all that its programs are compiled from.

    Args:
        folder: where go.mod is.
        seconds: how long all its programs take on two cores with nothing cached.
        tags: build tags, with commas between.
        ldflags: what the linker is told besides to leave out symbols.
    """

    folder: Path
    seconds: int
    tags: str = ""
    ldflags: str = ""

    @property
    def flags(self) -> tuple[str, ...]:
        """The flags of `go build`, without the tags."""
        return (*FLAGS, f"-ldflags=-s -w {self.ldflags}".rstrip())

    @property
    def go_at_least(self) -> tuple[int, ...]:
        """The oldest Go that compiles it."""
        line = re.search(r"^go ([\d.]+)$", (self.folder / "go.mod").read_text(), re.MULTILINE)
        return tuple(map(int, line[1].split("."))) if line else ()


@dataclass(frozen=True)
class Program:
    """A program as PATH may have it, and how it tells its version."""

    on_path: str
    at_least: tuple[int, ...]
    version_arguments: tuple[str, ...] = ("--version",)


@dataclass(frozen=True, kw_only=True)
class Tool(Program):
    """A program that is built where PATH has none that fits."""

    name: str
    module: Module
    package: str = "."

    @property
    def compiled_as(self) -> str:
        """How `go build` names the binary; a module's own package has the module's name."""
        return self.name if self.package == "." else self.package.rpartition("/")[2]

    @property
    def fingerprint(self) -> str:
        """A short hash of everything the binary is made from, but for the compiler's version."""
        made_of = (self.package, self.module.tags, self.module.flags, ENVIRONMENT, SYSTEM)
        digest = hashlib.sha256(repr(made_of).encode())
        for path in sorted(self.module.folder.glob("*")):
            if path.suffix in {".go", ".mod", ".sum"}:
                digest.update(path.read_bytes())
        return digest.hexdigest()[:12]


# A lock each: Prometheus requires a newer Alertmanager than the last one that can be built.
# `remove_all_sd` leaves out service discovery, most of it clouds' libraries.
_PROMETHEUS = Module(LOCKS / "prometheus", 120, "remove_all_sd")
_ALERTMANAGER = Module(LOCKS / "alertmanager", 40)
_VICTORIA_METRICS = Module(LOCKS / "victoriametrics", 60)


def _tool(name: str, at_least: tuple[int, ...], module: Module, package: str) -> Tool:
    """Return a program that PATH has by its own name."""
    return Tool(name=name, on_path=name, at_least=at_least, module=module, package=package)


def _victoria(name: str) -> Tool:
    """Return a program of VictoriaMetrics, whose releases have `-prod` in their names."""
    return Tool(
        name=name,
        on_path=f"{name}-prod",
        at_least=(1, 151, 0),
        module=_VICTORIA_METRICS,
        package=f"github.com/VictoriaMetrics/VictoriaMetrics/app/{name}",
    )


COLLECTOR_TOOL = Tool(
    name="otelcol",
    on_path="otelcol-contrib",
    at_least=(0, 161, 0),
    module=Module(COLLECTOR / "distribution", 140, "grpcnotrace"),
)
KUBERNETES_COLLECTOR_TOOL = Tool(
    name="otelcol-kubernetes",
    on_path="otelcol-contrib",  # the upstream binary has everything
    at_least=(0, 161, 0),
    module=Module(COLLECTOR / "distribution" / "kubernetes", 360, "grpcnotrace"),
)
PROMETHEUS_TOOL = _tool(
    "prometheus", (3, 5, 0), _PROMETHEUS, "github.com/prometheus/prometheus/cmd/prometheus"
)
PROMTOOL_TOOL = _tool(
    "promtool", (3, 5, 0), _PROMETHEUS, "github.com/prometheus/prometheus/cmd/promtool"
)
ALERTMANAGER_TOOL = _tool(
    "alertmanager", (0, 27, 0), _ALERTMANAGER, "github.com/prometheus/alertmanager/cmd/alertmanager"
)
AMTOOL_TOOL = _tool(
    "amtool", (0, 27, 0), _ALERTMANAGER, "github.com/prometheus/alertmanager/cmd/amtool"
)
KUSTOMIZE_TOOL = Tool(
    name="kustomize",
    on_path="kustomize",
    at_least=(5, 0, 0),
    version_arguments=("version",),
    module=Module(LOCKS / "kustomize", 20),
    package="sigs.k8s.io/kustomize/kustomize/v5",
)
ACTIONLINT_TOOL = _tool(
    "actionlint",
    (1, 7, 0),
    Module(LOCKS / "actionlint", 20),
    "github.com/rhysd/actionlint/cmd/actionlint",
)
VICTORIA_METRICS_TOOL = _victoria("victoria-metrics")
VMAUTH_TOOL = _victoria("vmauth")
THANOS_TOOL = _tool(
    "thanos",
    (0, 40, 0),
    Module(LOCKS / "thanos", 180, "slicelabels"),
    "github.com/thanos-io/thanos/cmd/thanos",
)
RUN = (COLLECTOR_TOOL, PROMETHEUS_TOOL, ALERTMANAGER_TOOL)
# Built before the tests, or each of them would wait for minutes, several for the same.
TEST = (
    PROMTOOL_TOOL,
    AMTOOL_TOOL,
    KUSTOMIZE_TOOL,
    VICTORIA_METRICS_TOOL,
    VMAUTH_TOOL,
    THANOS_TOOL,
)
