"""Who can connect to whom: every source tries all targets at once, from inside its own pod."""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from stack.errors import UserError
from tests.cluster.kubectl import NAMESPACE, Kubectl
from tests.cluster.pods import Pod, running, with_python

SECONDS = 3.0
Address = tuple[str, int]
# The ports on which pods listen on all addresses.
OURS = {
    "api": (8000,),
    "agent": (4317, 4318, 8001, 8888, 13133),
    "gateway": (4327, 8888, 13133),
    "cluster": (8001, 8888, 13133),
    "logfire": (4320,),
    "client": (8080,),  # a pod that no policy names
}
AROUND = {"postgres": 5432, "redis": 6379, "prometheus": 9090, "kube-dns": 53}
STRANGER = (443, 8080, 9090)
PROGRAM = f"""
import asyncio, json, sys

async def tried(name, host, port):
    try:
        async with asyncio.timeout({SECONDS}):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return None
    writer.close()
    return name

async def all_of(targets):
    return await asyncio.gather(*(tried(name, *at) for name, at in targets.items()))

found = asyncio.run(all_of(json.loads(sys.argv[1])))
print(json.dumps([name for name in found if name]))
"""


def connections(kubectl: Kubectl) -> dict[str, set[str]]:
    """Return the targets that each source can connect to."""
    pods, server = running(kubectl, ""), api_server(kubectl)
    sources = dict(sources_of(pods))
    targets = {name: dict(targets_of(pods, pod)) | server for name, pod in sources.items()}
    with ThreadPoolExecutor(len(sources)) as threads:
        found = threads.map(lambda name: reached(kubectl, sources[name], targets[name]), sources)
        return dict(zip(sources, found, strict=True))


def reached(kubectl: Kubectl, pod: Pod, targets: dict[str, Address]) -> set[str]:
    """Return what one pod connects to. Raises `UserError` where it cannot run the program."""
    command = ("python", "-c", PROGRAM, json.dumps(targets))
    done = kubectl.execute(pod.namespace, pod.name, with_python(kubectl, pod), *command)
    if done.returncode:
        raise UserError(f"{pod.name} cannot try its connections: {done.stderr[-500:]}")
    return set(json.loads(done.stdout))


def sources_of(pods: Sequence[Pod]) -> Iterator[tuple[str, Pod]]:
    """Yield a pod of each of our components, and one of each namespace around."""
    for pod in reversed(pods):
        if pod.namespace == NAMESPACE:
            yield pod.component, pod
        elif pod.component == "client":
            yield pod.namespace, pod


def targets_of(pods: Sequence[Pod], source: Pod) -> Iterator[tuple[str, Address]]:
    """Yield every target as a pod sees it: not itself, and the kubelet of another node."""
    for pod in pods:
        if pod == source:
            continue
        if pod.namespace == NAMESPACE:
            for port in OURS.get(pod.component, ()):
                yield f"{pod.component}:{port}", (pod.ip, port)
        elif pod.component in AROUND:
            yield pod.component, (pod.ip, AROUND[pod.component])
        elif pod.namespace == "stranger" and pod.component == "client":
            yield from ((f"stranger:{port}", (pod.ip, port)) for port in STRANGER)
        if pod.component == "agent" and pod.node != source.node:
            yield "kubelet", (pod.node_ip, 10250)


def api_server(kubectl: Kubectl) -> dict[str, Address]:
    """Return the API server's own address, not that of its Service."""
    found = kubectl.json("get", "endpointslice", "kubernetes", "--namespace=default")
    return {"API server": (found["endpoints"][0]["addresses"][0], found["ports"][0]["port"])}
