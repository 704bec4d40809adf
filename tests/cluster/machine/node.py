"""A node: namespaces of its own with containerd, kubelet and kube-proxy in them."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import yaml

from tests.cluster.machine.addresses import DNS, DOMAIN, NAME, PODS, Place
from tests.cluster.machine.containerd import SOCKET, containerd
from tests.cluster.machine.namespaces import Namespaces
from tests.cluster.machine.network import netfilter, plug_in_node
from tests.cluster.machine.programs import kubernetes
from tests.cluster.machine.template import share

CONTAINERD = Path("/var/lib/containerd")
KINDS = ("mount", "net", "pid", "uts", "ipc")
# What a kubelet sets for the whole machine, unless it finds it so: here it finds it so.
MACHINE = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}


@contextmanager
def node(place: Place, switch: Namespaces, state: Path, images: Path) -> Iterator[Namespaces]:
    """Run a node; it registers with the API server by itself.

    Args:
        place: its name and addresses.
        switch: where it is plugged in.
        state: the cluster's folder.
        images: the template of containerd's data.
    """
    folder = state / place.name
    with ExitStack() as stack:
        inside = stack.enter_context(Namespaces(place.name, KINDS, state))
        furnish(inside, folder)
        share(images, inside, folder / "lib" / "containerd", CONTAINERD)
        plug_in_node(switch, inside, place)
        netfilter(inside)
        stack.enter_context(containerd(inside, CONTAINERD, place))
        for name, flags in (
            ("kubelet", kubelet(place, state)),
            ("kube-proxy", kube_proxy(place, state)),
        ):
            stack.enter_context(inside.process(name, str(kubernetes()), name, *flags))
        yield inside


def furnish(inside: Namespaces, folder: Path) -> None:
    """Give the node its name, and folders of its own in the file system that all share."""
    for mounted in ("lib", "log", "machine"):
        (folder / mounted).mkdir(parents=True, exist_ok=True)
    inside.run("tee", "/proc/sys/kernel/hostname", text=folder.name)
    inside.run("mount", "--make-rshared", "/")  # pods may ask for mounts that appear later
    inside.run("mount", "--bind", f"{folder}/lib", "/var/lib")
    inside.run("mount", "--bind", f"{folder}/log", "/var/log")
    inside.run("mount", "-t", "tmpfs", "tmpfs", "/run")
    inside.run("mkdir", "-p", "/run/netns", "/run/lock", "/var/lib/kubelet")
    for name, value in MACHINE.items():
        file = folder / "machine" / name.replace("/", ".")
        file.write_text(f"{value}\n")
        inside.run("mount", "--bind", str(file), f"/proc/sys/{name}")


def kubelet(place: Place, state: Path) -> tuple[str, ...]:
    """Write the kubelet's configuration, and return its flags."""
    pki = state / "pki"
    resolv = state / "resolv.conf"
    resolv.write_text("nameserver 127.0.0.1\n")  # nothing outside is asked
    document = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": f"{pki}/ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": f"{pki}/{place.name}-serving.crt",
        "tlsPrivateKeyFile": f"{pki}/{place.name}-serving.key",
        "clusterDomain": DOMAIN,
        "clusterDNS": [DNS],
        "resolvConf": str(resolv),
        "containerRuntimeEndpoint": f"unix://{SOCKET}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{NAME}/{place.name}",
        "failCgroupV1": False,
        "failSwapOn": False,
        # It goes on where it may not write kernel settings or read the kernel's log.
        "featureGates": {"KubeletInUserNamespace": True, "KubeletCrashLoopBackOffMax": True},
        # A test of containers that keep ending would wait for minutes.
        "crashLoopBackOff": {"maxContainerRestartPeriod": "2s"},
        "enforceNodeAllocatable": ["pods"],
        # The disk is the machine's: pods are not evicted, images not removed, for its sake.
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "1%",
            "imagefs.available": "1%",
            "nodefs.inodesFree": "1%",
        },
        "imageGCHighThresholdPercent": 100,
        "nodeStatusUpdateFrequency": "2s",
        "volumePluginDir": "/var/lib/kubelet/volume-plugins",
    }
    file = state / f"{place.name}-kubelet.yaml"
    file.write_text(yaml.safe_dump(document))
    return (
        f"--config={file}",
        f"--kubeconfig={pki}/{place.name}.kubeconfig",
        f"--node-ip={place.address}",
        f"--hostname-override={place.name}",
    )


def kube_proxy(place: Place, state: Path) -> tuple[str, ...]:
    """Write kube-proxy's configuration, and return its flags."""
    untouched = {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s"}
    document = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": f"{state}/pki/proxy.kubeconfig"},
        "mode": "iptables",
        "clusterCIDR": PODS,
        "detectLocalMode": "ClusterCIDR",
        "hostnameOverride": place.name,
        "conntrack": {**untouched, "tcpCloseWaitTimeout": "0s"},
    }
    file = state / f"{place.name}-kube-proxy.yaml"
    file.write_text(yaml.safe_dump(document))
    return (f"--config={file}",)
