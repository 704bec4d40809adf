"""containerd of one node, or of the template of images."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from otelcol_runner.process import Process

from tests.cluster.machine.addresses import Place
from tests.cluster.machine.namespaces import Namespaces
from tests.cluster.machine.programs import cni_plugins

SOCKET = "/run/containerd/containerd.sock"
CTR = ("ctr", f"--address={SOCKET}", "--namespace=k8s.io")
PAUSE_IMAGE = "agentical-test/pause:built"
# `restrict_oom_score_adj`: without CAP_SYS_RESOURCE a container could not be started at all.
CONFIG = """\
version = 2
root = "{root}"
state = "/run/containerd"
[grpc]
  address = "{socket}"
[plugins."io.containerd.internal.v1.opt"]
  path = "/run/containerd-opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "docker.io/{pause}"
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{plugins}"
    conf_dir = "{networks}"
"""
# Pods have a cable to the node and its address as their gateway; no address is translated, so that
# network policies see who asks.
NETWORK = """\
{{"cniVersion": "0.4.0", "name": "pods", "plugins": [
  {{"type": "ptp", "ipMasq": false, "mtu": 1500, "ipam": {{
    "type": "host-local", "dataDir": "/run/cni-ipam",
    "ranges": [[{{"subnet": "{pods}"}}]], "routes": [{{"dst": "0.0.0.0/0"}}]}}}},
  {{"type": "portmap", "capabilities": {{"portMappings": true}}}}]}}
"""


@contextmanager
def containerd(inside: Namespaces, root: Path, place: Place | None = None) -> Iterator[Process]:
    """Run containerd with its data in `root`; with a place also its pods' network."""
    networks = inside.folder / f"{inside.name}-networks"
    networks.mkdir(exist_ok=True)
    if place:
        (networks / "pods.conflist").write_text(NETWORK.format(pods=place.pods))
    file = inside.folder / f"{inside.name}-containerd.toml"
    paths = {"root": root, "networks": networks, "plugins": cni_plugins()}
    file.write_text(CONFIG.format(socket=SOCKET, pause=PAUSE_IMAGE, **paths))

    def ready() -> bool:
        return inside.completed(*CTR, "version").returncode == 0

    argv = ("containerd", f"--config={file}", "--log-level=warn")
    own = {"TMPDIR": "/run"}  # runc, killed, leaves files there
    with inside.process("containerd", *argv, env=own, ready=ready, ready_timeout=60) as process:
        yield process
