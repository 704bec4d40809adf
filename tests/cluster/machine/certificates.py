"""Certificates and kubeconfigs of the cluster, with the names that kubeadm gives them."""

from base64 import b64encode
from pathlib import Path

import yaml
from trustme import CA

from tests.cluster.machine.addresses import API_SERVER, API_SERVICE, CONTROL_PLANE, DOMAIN, NODES

API_NAMES = ("kubernetes", "kubernetes.default", "kubernetes.default.svc")
NODE_GROUP = "system:nodes"
NO_GROUP = "agentical-cluster"  # a group that no role is bound to
# File, its common name and its organisation: the user and the group that the API server sees.
CLIENTS = (
    ("apiserver-kubelet-client", "kube-apiserver-kubelet-client", "system:masters"),
    ("admin", "admin", "system:masters"),
    ("controller-manager", "system:kube-controller-manager", NO_GROUP),
    ("scheduler", "system:kube-scheduler", NO_GROUP),
    ("proxy", "system:kube-proxy", NO_GROUP),
    *((place.name, f"system:node:{place.name}", NODE_GROUP) for place in NODES),
)


def make_all(folder: Path) -> None:
    """Write all that the programs read: *.crt, *.key and *.kubeconfig."""
    authority = CA()
    authority.cert_pem.write_to_path(folder / "ca.crt")
    authority.private_key_pem.write_to_path(folder / "ca.key")
    names = (*API_NAMES, f"{API_NAMES[-1]}.{DOMAIN}", API_SERVICE, CONTROL_PLANE, "127.0.0.1")
    issue(authority, folder / "apiserver", "kube-apiserver", NO_GROUP, *names)
    for place in NODES:
        user = f"system:node:{place.name}"
        file = folder / f"{place.name}-serving"
        issue(authority, file, user, NODE_GROUP, place.name, place.address)
    for name, user, group in CLIENTS:
        issue(authority, folder / name, user, group)
        write_kubeconfig(folder, name)
    aggregator = CA()
    aggregator.cert_pem.write_to_path(folder / "front-proxy-ca.crt")
    issue(aggregator, folder / "front-proxy-client", "front-proxy-client", NO_GROUP)
    # A key pair as any other signs the tokens of service accounts.
    issue(authority, folder / "service-accounts", "service-accounts", NO_GROUP)


def issue(authority: CA, file: Path, user: str, group: str, *names: str) -> None:
    """Write a certificate for a client, or for a server with these names, and its key."""
    # Go refuses a certificate whose list of names is there and empty.
    names = names or ("client.invalid",)
    made = authority.issue_cert(*names, common_name=user, organization_name=group)
    made.cert_chain_pems[0].write_to_path(file.with_name(f"{file.name}.crt"))
    made.private_key_pem.write_to_path(file.with_name(f"{file.name}.key"))


def write_kubeconfig(folder: Path, name: str) -> None:
    """Write `NAME.kubeconfig` for the client of that name."""
    cluster = {"server": API_SERVER, "certificate-authority-data": encoded(folder / "ca.crt")}
    user = {
        "client-certificate-data": encoded(folder / f"{name}.crt"),
        "client-key-data": encoded(folder / f"{name}.key"),
    }
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "cluster", "cluster": cluster}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": "cluster", "context": {"cluster": "cluster", "user": name}}],
        "current-context": "cluster",
    }
    (folder / f"{name}.kubeconfig").write_text(yaml.safe_dump(document))


def encoded(path: Path) -> str:
    """Return a file as kubeconfigs embed it."""
    return b64encode(path.read_bytes()).decode()
