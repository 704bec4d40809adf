"""The network: a switch in a namespace of its own, with cables to the nodes and to this machine.

It ends with the processes that hold its namespaces, and so does its one interface on this machine,
which reaches the API server by it. Nothing is routed to the outside.
"""

import subprocess

import psutil

from stack.errors import UserError
from tests.cluster.machine.addresses import (
    CONTROL_PLANE,
    HOST,
    HOST_INTERFACE,
    NODE_NETWORK,
    NODES,
    Place,
)
from tests.cluster.machine.namespaces import Namespaces

MASK = NODE_NETWORK.rpartition("/")[2]
QUEUE = 98  # as addons/ says to kube-network-policies
BRIDGE = "switch"
# Otherwise it has the lowest address of its ports, perhaps another one when a node is plugged in.
# The nodes that are there already send to the former one for up to 45 s.
BRIDGE_ADDRESS = "0a:00:00:00:00:01"
# A node forwards between its pods and the switch; answers may take another way than questions.
FORWARDING = ("ip_forward", "conf/all/rp_filter", "conf/default/rp_filter")
# A connection of an ended process to an ended node would keep the namespace for two minutes.
ORPHANS = "/proc/sys/net/ipv4/tcp_orphan_retries"


def make_switch(switch: Namespaces) -> None:
    """Make the switch and the control plane's address on it."""
    switch.run("ip", "link", "set", "lo", "up")
    switch.run("tee", ORPHANS, text="1")
    switch.run("ip", "link", "add", BRIDGE, "address", BRIDGE_ADDRESS, "type", "bridge")
    switch.run("ip", "address", "add", f"{CONTROL_PLANE}/{MASK}", "dev", BRIDGE)
    switch.run("ip", "link", "set", BRIDGE, "up")
    for place in NODES:
        switch.run("ip", "route", "add", place.pods, "via", place.address)


def plug_in_host(switch: Namespaces) -> None:
    """Make the cable from the switch to this machine."""
    peer = ("type", "veth", "peer", "name", "host", "netns", str(switch.pid))
    on_host("ip", "link", "add", HOST_INTERFACE, *peer)
    switch.run("ip", "link", "set", "host", "master", BRIDGE, "up")
    on_host("ip", "address", "add", f"{HOST}/{MASK}", "dev", HOST_INTERFACE)
    on_host("ip", "link", "set", HOST_INTERFACE, "up")


def unplug_host() -> None:
    """Remove this machine's cable, where it is there: connections that are half closed keep it."""
    if HOST_INTERFACE in psutil.net_if_addrs():
        on_host("ip", "link", "delete", HOST_INTERFACE)


def plug_in_node(switch: Namespaces, node: Namespaces, place: Place) -> None:
    """Make a node's interface, and its routes to the pods of the other nodes."""
    peer = ("type", "veth", "peer", "name", "eth0", "netns", str(node.pid))
    switch.run("ip", "link", "add", place.name, *peer)
    switch.run("ip", "link", "set", place.name, "master", BRIDGE, "up")
    node.run("ip", "link", "set", "lo", "up")
    node.run("tee", ORPHANS, text="1")
    node.run("ip", "address", "add", f"{place.address}/{MASK}", "dev", "eth0")
    node.run("ip", "link", "set", "eth0", "up")
    # kubelet and kube-proxy look for the node's address on the default route.
    node.run("ip", "route", "add", "default", "via", HOST)
    for other in NODES:
        if other != place:
            node.run("ip", "route", "add", other.pods, "via", other.address)
    for name in FORWARDING:
        value = "1" if name == "ip_forward" else "0"
        node.run("tee", f"/proc/sys/net/ipv4/{name}", text=value)


def on_host(*argv: str) -> None:
    """Run a command on this machine. Raises `UserError`."""
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    if done.returncode:
        raise UserError(f"`{' '.join(argv)}` failed: {done.stderr.strip()}")


def routes_in_the_way() -> str:
    """Return this machine's routes to the addresses that the cluster takes; they must be free."""
    command = ("ip", "route", "show", "to", "root", NODE_NETWORK)
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def netfilter(node: Namespaces) -> None:
    """Hand the first packets of connections from and to pods to the network policies' program.

    It makes such rules itself, in nftables, and fails where the kernel lacks `NFT_QUEUE`; iptables'
    target NFQUEUE is older. What the node's root sends, as the kubelet's probes, is let through.
    """
    table = ("iptables", "-w", "-t", "mangle")
    chain = "AGENTICAL-POLICY"
    node.run(*table, "-N", chain)
    for rule in (
        ("-o", "lo", "-j", "RETURN"),
        ("-m", "owner", "--uid-owner", "0", "-j", "RETURN"),
        ("-m", "conntrack", "--ctstate", "ESTABLISHED,RELATED", "-j", "RETURN"),
        # Without the bypass nothing would pass before the program runs, not even what it needs.
        ("-j", "NFQUEUE", "--queue-num", str(QUEUE), "--queue-bypass"),
    ):
        node.run(*table, "-A", chain, *rule)
    node.run(*table, "-A", "POSTROUTING", "-j", chain)
