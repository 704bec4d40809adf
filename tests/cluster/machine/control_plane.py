"""etcd, the API server, the controller manager and the scheduler, beside the switch."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from stack.errors import UserError
from tests.cluster.kubectl import Kubectl
from tests.cluster.machine.addresses import CONTROL_PLANE, SERVICES
from tests.cluster.machine.namespaces import Namespaces
from tests.cluster.machine.programs import kubernetes

ISSUER = "https://kubernetes.default.svc.cluster.local"
ETCD = "http://127.0.0.1:2379"
ETCD_PEER = "http://127.0.0.1:2380"
# Who of the project asked what, and who changed pods and workloads.
AUDIT = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: Metadata
    userGroups: ["system:serviceaccounts:agentical"]
  - level: Metadata
    verbs: [create, update, patch, delete]
    resources: [{group: "", resources: [pods, pods/eviction]}, {group: apps}]
  - level: Metadata
    users: [admin]
    verbs: [create, update, patch, delete]
  - level: None
"""


@contextmanager
def control_plane(switch: Namespaces, state: Path, kubectl: Kubectl) -> Iterator[None]:
    """Run the control plane; it is ready, its controllers have been started."""
    (state / "audit.yaml").write_text(AUDIT)
    with ExitStack() as stack:

        def run(name: str, *flags: str, **options: object) -> None:
            argv = (str(kubernetes()), name, *flags)
            stack.enter_context(switch.process(name, *argv, **options))

        run("etcd", *etcd(state))
        # The controller manager ends where it finds no API server.
        run("kube-apiserver", *api_server(state), ready=ready(kubectl), ready_timeout=90)
        run("kube-controller-manager", *controllers(state))
        run("kube-scheduler", *client(state, "scheduler"))
        yield


def ready(kubectl: Kubectl) -> object:
    """Return a check whether the API server says that it is ready."""

    def check() -> bool:
        try:
            return kubectl.run("get", "--raw=/readyz", timeout=5) == "ok"
        except UserError:
            return False

    return check


def etcd(state: Path) -> tuple[str, ...]:
    """Return the flags of etcd; its data ends with the cluster, so nothing waits for a disk."""
    return (
        f"--data-dir={state}/etcd",
        f"--listen-client-urls={ETCD}",
        f"--advertise-client-urls={ETCD}",
        f"--listen-peer-urls={ETCD_PEER}",
        "--unsafe-no-fsync",
        "--log-level=warn",
    )


def api_server(state: Path) -> tuple[str, ...]:
    """Return the flags of the API server, as kubeadm sets them, and the audit log."""
    pki = state / "pki"
    return (
        f"--etcd-servers={ETCD}",
        f"--advertise-address={CONTROL_PLANE}",
        "--secure-port=6443",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        f"--client-ca-file={pki}/ca.crt",
        f"--tls-cert-file={pki}/apiserver.crt",
        f"--tls-private-key-file={pki}/apiserver.key",
        f"--kubelet-certificate-authority={pki}/ca.crt",
        f"--kubelet-client-certificate={pki}/apiserver-kubelet-client.crt",
        f"--kubelet-client-key={pki}/apiserver-kubelet-client.key",
        "--kubelet-preferred-address-types=InternalIP",
        f"--service-account-issuer={ISSUER}",
        f"--service-account-key-file={pki}/service-accounts.key",
        f"--service-account-signing-key-file={pki}/service-accounts.key",
        f"--service-cluster-ip-range={SERVICES}",
        f"--requestheader-client-ca-file={pki}/front-proxy-ca.crt",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-username-headers=X-Remote-User",
        f"--proxy-client-cert-file={pki}/front-proxy-client.crt",
        f"--proxy-client-key-file={pki}/front-proxy-client.key",
        "--enable-aggregator-routing=true",  # no kube-proxy here: it asks pods, not services
        f"--audit-policy-file={state}/audit.yaml",
        f"--audit-log-path={state}/audit.log",
    )


def controllers(state: Path) -> tuple[str, ...]:
    """Return the flags of the controller manager; autoscalers look every 5 s and not every 15 s."""
    pki = state / "pki"
    return (
        *client(state, "controller-manager"),
        f"--root-ca-file={pki}/ca.crt",
        f"--service-account-private-key-file={pki}/service-accounts.key",
        "--use-service-account-credentials=true",
        f"--cluster-signing-cert-file={pki}/ca.crt",
        f"--cluster-signing-key-file={pki}/ca.key",
        f"--flex-volume-plugin-dir={state}/volume-plugins",  # it makes the default, in /usr
        "--horizontal-pod-autoscaler-sync-period=5s",
        "--horizontal-pod-autoscaler-cpu-initialization-period=30s",
    )


def client(state: Path, name: str) -> tuple[str, ...]:
    """Return the flags of what asks the API server as `NAME.kubeconfig` says, alone of its kind."""
    kubeconfig = state / "pki" / f"{name}.kubeconfig"
    return (
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        "--bind-address=127.0.0.1",
        "--leader-elect=false",
    )
