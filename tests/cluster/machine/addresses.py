"""Addresses and names of the cluster: a switch, the control plane on it, and two nodes."""

from dataclasses import dataclass

NAME = "agentical-cluster"  # of its cgroups and of its lock
HOST = "10.199.0.1"
CONTROL_PLANE = "10.199.0.10"
API_SERVER = f"https://{CONTROL_PLANE}:6443"
NODE_NETWORK = "10.199.0.0/24"
PODS = "10.244.0.0/16"
SERVICES = "10.96.0.0/16"
API_SERVICE = "10.96.0.1"
DNS = "10.96.0.10"
DOMAIN = "cluster.local"
HOST_INTERFACE = "agentical-host"  # at most 15 characters


@dataclass(frozen=True)
class Place:
    """Where a node is.

    Args:
        number: from 1.
    """

    number: int

    @property
    def name(self) -> str:
        """The node's name in the cluster."""
        return f"node{self.number}"

    @property
    def address(self) -> str:
        """Its address on the switch."""
        return f"10.199.0.{10 + self.number}"

    @property
    def pods(self) -> str:
        """The network of its pods."""
        return f"10.244.{self.number}.0/24"


NODES = (Place(1), Place(2))
