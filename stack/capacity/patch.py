"""The patch of `agentical capacity --kubernetes`: a file for `patches:` of a Kustomize overlay."""

from math import ceil
from typing import Any

import yaml

from stack.capacity.demand import Demand
from stack.capacity.kubernetes import Collector, Sizes
from stack.capacity.shipped import Limits

Object = dict[str, Any]
HEAD = """\
# Sizes for {spans:,.0f} spans/s of {nodes} {noun}, and an outage of {hours:g} h. Calculated by
# `agentical capacity --kubernetes`. Save it beside the kustomization.yaml of an overlay of your own
# that has:
#   resources: [../production]
#   patches: [{{path: {file}}}]
#
# Kubernetes refuses to change the volumeClaimTemplates of a StatefulSet. Where gateways run with
# other volumes, enlarge each claim (its storage class must allow that; none can be made smaller),
# delete the StatefulSet without its pods, and apply:
#   kubectl --namespace agentical patch pvc queue-gateway-0 --patch \\
#     '{{"spec": {{"resources": {{"requests": {{"storage": "{storage}"}}}}}}}}'  # and -1, -2, ...
#   kubectl --namespace agentical delete statefulset gateway --cascade=orphan
# To keep the claims, remove volumeClaimTemplates, and set QUEUE_BYTES to less than their size
# divided by {factor:.1f}. A storageClassName belongs here: the list replaces that of the base.
"""
FILE = "capacity.yaml"


class Indented(yaml.SafeDumper):
    """Indents lists by two spaces, as this repository does, and repeats what is there twice."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Indent lists too."""
        return super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        """Print no anchors."""
        return True


def patch(demand: Demand, sizes: Sizes, limits: Limits) -> str:
    """Return the patch as YAML, with a head that says how to apply it."""
    head = HEAD.format(
        spans=demand.spans_per_second,
        nodes=demand.nodes,
        noun="node" if demand.nodes == 1 else "nodes",
        hours=demand.outage_hours,
        file=FILE,
        storage=f"{sizes.gateway.volume}Gi",
        factor=ceil(10 * sizes.queue_factor) / 10,
    )
    objects = (gateway(sizes, chosen(demand, limits)), agent(sizes.agent))
    documents = (yaml.dump(item, Dumper=Indented, sort_keys=False, width=100) for item in objects)
    return head + "---\n".join(documents)


def chosen(demand: Demand, limits: Limits) -> dict[str, str]:
    """Return the variables of the sampling that differ from their defaults."""
    values = {
        "TRACE_DECISION_WAIT": (demand.decision_wait, limits.decision_wait, "s"),
        "TRACE_SAMPLE_PERCENT": (demand.sample_percent, limits.sample_percent, ""),
        "LOG_SAMPLE_PERCENT": (demand.log_sample_percent, limits.log_sample_percent, ""),
    }
    return {
        name: _plain(value) + unit
        for name, (value, default, unit) in values.items()
        if value != default
    }


def gateway(sizes: Sizes, sampling: dict[str, str]) -> Object:
    files = {"SAMPLING_WINDOW_FILES": str(sizes.window_files)}
    waits = {name: value for name, value in sampling.items() if name == "TRACE_DECISION_WAIT"}
    window = {"env": _env({**files, **waits})}
    program = {"resources": {"limits": {"memory": f"{sizes.window_program}Mi"}}}
    room = {"medium": "Memory", "sizeLimit": f"{sizes.window_volume}Mi"}
    pod = {
        "initContainers": [
            {"name": "window-check", **window},
            {"name": "window", **window, **program},
        ],
        "containers": [_collector(sizes.gateway, {**files, **sampling})],
        "volumes": [{"name": "window", "emptyDir": room}],
    }
    claim = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": f"{sizes.gateway.volume}Gi"}},
    }
    claims = [{"metadata": {"name": "queue"}, "spec": claim}]
    more = {"replicas": sizes.replicas, "volumeClaimTemplates": claims}
    return _workload("StatefulSet", "gateway", pod, more)


def agent(size: Collector) -> Object:
    queue = {"name": "queue", "emptyDir": {"sizeLimit": f"{size.volume}Gi"}}
    return _workload("DaemonSet", "agent", {"containers": [_collector(size)], "volumes": [queue]})


def _collector(size: Collector, variables: dict[str, str] | None = None) -> Object:
    return {
        "name": "collector",
        "env": _env({"QUEUE_BYTES": str(size.queue_bytes), **(variables or {})}),
        "resources": {
            "requests": {"cpu": f"{size.cpu}m", "memory": f"{size.request}Mi"},
            "limits": {"memory": f"{size.limit}Mi"},
        },
    }


def _workload(kind: str, name: str, pod: Object, more: Object | None = None) -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": {**(more or {}), "template": {"spec": pod}},
    }


def _env(variables: dict[str, str]) -> list[Object]:
    return [{"name": name, "value": value} for name, value in variables.items()]


def _plain(value: float) -> str:
    """Return a number without an exponent."""
    return f"{value:f}".rstrip("0").rstrip(".")
