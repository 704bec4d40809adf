"""The worker's autoscaler follows the depth of the queue, through the Prometheus adapter."""

from typing import Any

from otelcol_runner.polling import poll_until

from tests.cluster.backends import api, send_task
from tests.cluster.kubectl import NAMESPACE, Kubectl
from tests.cluster.overlays import Overlay, applied
from tests.cluster.pods import of_component

TASKS = 35  # at ten for each worker: four
AT_ONCE = '{"spec": {"behavior": {"scaleDown": {"stabilizationWindowSeconds": 0}}}}'
# After this entry there is none, so workers get no new task until the group starts again.
LAST, FIRST = "9999999999999-0", "0"


@applied("production")
def test_the_worker_scales_out_on_a_deep_queue_and_in_on_an_empty_one(overlay: Overlay) -> None:
    kubectl = overlay.kubectl
    try:
        deliver_after(kubectl, LAST)
        with api(kubectl) as client:
            for _ in range(TASKS):
                send_task(client)
        await_state(kubectl, replicas=4, depth=TASKS, condition="")
        deliver_after(kubectl, FIRST)
        # It waits 300 s before it removes pods: `ScaleDownStabilized` says that it would.
        await_state(kubectl, replicas=4, depth=0, condition="ScaleDownStabilized")
        kubectl.run("patch", "hpa", "worker", f"--namespace={NAMESPACE}", f"--patch={AT_ONCE}")
        await_state(kubectl, replicas=2, depth=0, condition="")
    finally:
        deliver_after(kubectl, FIRST)
        start_again(overlay)


def await_state(kubectl: Kubectl, *, replicas: int, depth: int, condition: str) -> None:
    expected = {"replicas": replicas, "depth": depth, "condition": condition}

    def seen() -> dict[str, Any]:
        found = state(kubectl)
        return found if condition else found | {"condition": ""}

    poll_until(lambda: seen() == expected, str(expected), timeout=120, interval=1, seen=seen)


def state(kubectl: Kubectl) -> dict[str, Any]:
    """Return what the autoscaler wants, the queue's depth that it sees, and why it waits."""
    found = kubectl.json("get", "hpa", "worker", f"--namespace={NAMESPACE}")["status"]
    reasons = {item["type"]: item["reason"] for item in found.get("conditions", [])}
    workers = found.get("currentReplicas", 0)
    metrics = found.get("currentMetrics") or [{}]
    average = metrics[0].get("external", {}).get("current", {}).get("averageValue", "-1")
    return {
        "replicas": found["desiredReplicas"],
        "depth": round(quantity(average) * workers),
        "condition": reasons.get("AbleToScale"),
    }


def quantity(text: str) -> float:
    """Parse what the API server writes for a number: 8750m is 8.75."""
    return float(text.removesuffix("m")) / 1000 if text.endswith("m") else float(text)


def start_again(overlay: Overlay) -> None:
    """Leave two workers, and an autoscaler that does not remember more."""
    overlay.kubectl.run("delete", "hpa", "worker", f"--namespace={NAMESPACE}")
    overlay.kubectl.run("scale", "deployment/worker", "--replicas=2", f"--namespace={NAMESPACE}")
    overlay.kubectl.apply_overlay(str(overlay.folder))
    overlay.wait()


def deliver_after(kubectl: Kubectl, entry: str) -> None:
    """Let the workers' group continue after an entry of the queue."""
    (redis,) = of_component(kubectl, "redis", "databases")
    command = ("redis-cli", "XGROUP", "SETID", "tasks", "workers", entry)
    done = kubectl.execute("databases", redis.name, "redis", *command)
    assert done.stdout.strip() == "OK", done.stdout + done.stderr
