"""Kubernetes and the add-ons of the cluster that tests start, from two locked Go modules."""

import re

from stack.tools.programs import LOCKS, Module, Tool

VARIABLES = "k8s.io/component-base/version"
OPERATOR = "github.com/prometheus-operator/prometheus-operator"
POLICIES = "sigs.k8s.io/kube-network-policies"


def locked(module: str, lock: str = "kubernetes") -> str:
    """Return the version at which a lock has a Go module, such as `1.34.4`."""
    text = (LOCKS / lock / "go.mod").read_text()
    found = re.search(rf"^(?:require )?\s*{re.escape(module)} v(\S+)", text, re.MULTILINE)
    return found[1] if found else ""


def ldflags(version: str) -> str:
    """Return what tells Kubernetes' programs their version; a cluster compares them."""
    major, minor, _ = version.split(".", 2)
    values = {"gitVersion": f"v{version}", "gitMajor": major, "gitMinor": minor}
    values["gitTreeState"] = "archive"
    return " ".join(f"-X {VARIABLES}.{name}={value}" for name, value in values.items())


_VERSION, _OPERATOR_VERSION = locked("k8s.io/kubernetes"), locked(OPERATOR, "prometheus-operator")
_KUBERNETES = Module(LOCKS / "kubernetes", 480, "grpcnotrace", ldflags(_VERSION))
# A lock of its own: it needs a newer Prometheus than metrics-server compiles with.
_OPERATOR = Module(
    LOCKS / "prometheus-operator",
    120,
    ldflags=f"-X github.com/prometheus/common/version.Version={_OPERATOR_VERSION}",
)


def _tool(name: str, version: str, module: Module, package: str) -> Tool:
    """Return a program that is always built: images have nothing else in them."""
    return Tool(
        name=name,
        on_path=f"agentical-{name}",  # nobody has it
        at_least=tuple(map(int, version.split("."))),
        module=module,
        package=package,
    )


def _operators(name: str) -> Tool:
    """Return a program of the operator."""
    command = name.removeprefix("prometheus-") if name == "prometheus-operator" else name
    return _tool(name, _OPERATOR_VERSION, _OPERATOR, f"{OPERATOR}/cmd/{command}")


# The operator's Prometheus asks the API server for pods, which the other build leaves out.
KUBERNETES_PROMETHEUS_TOOL = Tool(
    name="prometheus-kubernetes",
    on_path="prometheus",
    at_least=(3, 5, 0),
    module=Module(LOCKS / "prometheus", 150, "remove_all_sd,enable_kubernetes_sd"),
    package="github.com/prometheus/prometheus/cmd/prometheus",
)
# `main.go` is one program of all that can be imported, linked once.
KUBERNETES_TOOL = _tool("kubernetes", _VERSION, _KUBERNETES, ".")
CLUSTER = (
    KUBERNETES_TOOL,
    _tool("kube-network-policies", locked(POLICIES), _KUBERNETES, f"{POLICIES}/cmd"),
    _operators("prometheus-operator"),
    _operators("prometheus-config-reloader"),
)
