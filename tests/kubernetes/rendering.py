"""The manifests as Kustomize renders them, and the files and variables of their pods."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from stack.paths import COLLECTOR, ROOT
from stack.pipeline.configs import overlay_names
from stack.tools import toolchain
from stack.tools.finding import version_of

Object = dict[str, Any]
DEPLOY = ROOT / "deploy" / "kubernetes"
OVERLAYS = ("local", "production")
WORKLOADS = ("Deployment", "DaemonSet", "StatefulSet")
COLLECTORS = ("agent", "gateway", "cluster")
CONFIG = "--config=file:"
MERGED = "/var/lib/otelcol/overlays/merged.yaml"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where available
# The downward API's values.
FIELDS = {
    "metadata.name": "gateway-0",
    "metadata.namespace": "agentical",
    "metadata.uid": "5e1c",
    "spec.nodeName": "node-1",
    "status.hostIP": "192.0.2.1",
}


def command() -> list[str]:
    """Return kubectl's Kustomize, as documented, or Kustomize itself."""
    kubectl = shutil.which("kubectl")
    version = version_of([kubectl, "version", "--client"]) if kubectl else None
    if kubectl and version and version >= (1, 27):
        return [kubectl, "kustomize"]
    return [str(toolchain.kustomize()), "build"]


def kustomize(folder: Path) -> subprocess.CompletedProcess[str]:
    """Render a folder, with no flag."""
    return subprocess.run(
        [*command(), str(folder)], capture_output=True, text=True, timeout=60, check=False
    )


def with_kafka(base: str, folder: Path) -> str:
    """Write the overlay of docs/kubernetes.md, with Kafka, on another one; return its folder."""
    (text,) = re.findall(r"```yaml\n(.+?)```", (ROOT / "docs/kubernetes.md").read_text(), re.DOTALL)
    overlay = yaml.safe_load(text)
    (component,) = overlay["components"]
    overlay["resources"] = [os.path.relpath(DEPLOY / "overlays" / base, folder)]
    there = (DEPLOY / "overlays" / "mine" / component).resolve()
    overlay["components"] = [os.path.relpath(there, folder)]
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(overlay))
    return str(folder)


@cache
def objects(overlay: str) -> tuple[Object, ...]:
    """Return every object of an overlay. Raises `AssertionError` with what Kustomize said."""
    done = kustomize(DEPLOY / "overlays" / overlay)
    assert done.returncode == 0, done.stderr
    return tuple(yaml.load_all(done.stdout, Loader=LOADER))


def named(overlay: str, kind: str, name: str) -> Object:
    """Return one object; a ConfigMap's generated suffix is left out of its name."""
    (found,) = [
        item
        for item in objects(overlay)
        if item["kind"] == kind and plain(item["metadata"]["name"]) == name
    ]
    return found


def plain(name: str) -> str:
    """Return a generated name without the hash of its content."""
    return re.sub(r"-[0-9bcdfghkmt246789]{10}$", "", name)


def workloads(overlay: str) -> Iterator[Object]:
    """Return the workloads of an overlay."""
    return (item for item in objects(overlay) if item["kind"] in WORKLOADS)


@dataclass
class Pod:
    """The pod of one workload, with one of its containers."""

    overlay: str
    name: str
    spec: Object = field(default_factory=dict)

    def __post_init__(self) -> None:
        (found,) = [w for w in workloads(self.overlay) if w["metadata"]["name"] == self.name]
        self.spec = found["spec"]["template"]["spec"]

    def container(self, name: str) -> Object:
        """Return a container, or an init container, by its name."""
        every = [*self.spec["containers"], *self.spec.get("initContainers", [])]
        (found,) = [item for item in every if item["name"] == name]
        return dict(found)

    def environment(self, container: str, *, optional: bool = True) -> dict[str, str]:
        """Return a container's variables, with or without those from `optional` Secrets."""
        described = self.container(container)
        found: dict[str, str] = {}
        for source in described.get("envFrom", []):
            found |= self._config_map(source["configMapRef"]["name"])
        for item in described.get("env", []):
            value = self._value(item)
            if value is not None and (optional or not self._is_optional(item)):
                found[item["name"]] = expanded(value, found)
        return found

    def configs(self) -> dict[str, str]:
        """Return the files that the collector loads, in their order: path in the pod and text.

        In place of the merged overlays they are those that OVERLAYS names.
        """
        variables = self.environment("collector")
        arguments = [expanded(part, variables) for part in self.container("collector")["args"]]
        paths = [part.removeprefix(CONFIG) for part in arguments if part.startswith(CONFIG)]
        found = {path: self.mounted("collector", path) for path in paths if path != MERGED}
        for name in overlay_names(self.environment("overlays")["OVERLAYS"], {}):
            place = f"/srv/overlays/{name}.yaml"
            found[place] = self.mounted("overlays", place)
        return found

    def mounted(self, container: str, path: str) -> str:
        """Return a file's text from the ConfigMap mounted there."""
        place = PurePosixPath(path)
        mounts = {item["mountPath"]: item for item in self.container(container)["volumeMounts"]}
        volume = mounts[str(place.parent)]["name"]
        (source,) = [item for item in self.spec["volumes"] if item["name"] == volume]
        return self._config_map(source["configMap"]["name"])[place.name]

    def _config_map(self, name: str) -> dict[str, str]:
        maps = (item for item in objects(self.overlay) if item["kind"] == "ConfigMap")
        (found,) = [item for item in maps if item["metadata"]["name"] == name]
        return dict(found["data"])

    def _value(self, item: Object) -> str | None:
        source = item.get("valueFrom", {})
        if "fieldRef" in source:
            return FIELDS[source["fieldRef"]["fieldPath"]]
        if "secretKeyRef" in source:
            return f"secret-{source['secretKeyRef']['name']}"
        return str(item["value"])

    def _is_optional(self, item: Object) -> bool:
        return bool(item.get("valueFrom", {}).get("secretKeyRef", {}).get("optional"))


def expanded(text: str, variables: dict[str, str]) -> str:
    """Expand `$(NAME)` as the kubelet does, with the variables defined before."""
    return re.sub(r"\$\(([A-Z0-9_]+)\)", lambda m: variables.get(m[1], m[0]), text)


def repository_path(path: str) -> Path:
    """Return the repository's file for a path in a collector's pod."""
    below = path.removeprefix("/etc/otelcol/").removeprefix("/srv/").removeprefix("stages/")
    return COLLECTOR / below
