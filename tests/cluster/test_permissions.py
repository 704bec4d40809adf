"""RBAC: every right of every service account, and how the API server decides."""

from concurrent.futures import ThreadPoolExecutor
from itertools import product

from tests.cluster.kubectl import NAMESPACE
from tests.cluster.overlays import Overlay, applied
from tests.cluster.permissions import NOBODY, Right, accounts, allowed, rights, user

pytestmark = applied("local", "production")
ELSEWHERE = "kube-system"
READ = ("list", "watch")
CLUSTER = (
    *("namespaces", "nodes", "pods", "replicationcontrollers", "resourcequotas", "services"),
    *("daemonsets.apps", "deployments.apps", "replicasets.apps", "statefulsets.apps"),
    *("cronjobs.batch", "jobs.batch", "horizontalpodautoscalers.autoscaling"),
)
OF_CLUSTER: set[Right] = set(product(READ, CLUSTER))
STATISTICS: Right = ("get", "nodes/stats")
# By account and namespace; every other account has no right at all.
RIGHTS: dict[tuple[str, str], set[Right]] = {
    ("agent", NAMESPACE): {*product(("get", *READ), ["pods"]), STATISTICS},
    ("agent", ELSEWHERE): {STATISTICS},
    ("cluster", NAMESPACE): OF_CLUSTER,
    ("cluster", ELSEWHERE): OF_CLUSTER,
}
ASKED: list[Right] = [
    *product(("get", *READ, "create", "delete"), ["pods"]),
    *product(("get", *READ), ["nodes"]),
    *product(("get", "list"), ["secrets"]),
    *product(["list"], ["configmaps", "deployments.apps", "events"]),
    *[STATISTICS, ("get", "nodes/proxy"), ("create", "pods/exec"), ("*", "*")],
]


def test_each_account_has_the_rights_that_it_needs_and_no_other(overlay: Overlay) -> None:
    kubectl = overlay.kubectl
    places = list(product(accounts(kubectl), (NAMESPACE, ELSEWHERE)))
    everyone = {where: rights(kubectl, NOBODY, where) for where in (NAMESPACE, ELSEWHERE)}
    with ThreadPoolExecutor(4) as threads:
        each = threads.map(lambda at: rights(kubectl, user(at[0]), at[1]), places)
        found = {at: own - everyone[at[1]] for at, own in zip(places, each, strict=True)}
    assert found == {at: RIGHTS.get(at, set()) for at in places}


def test_the_api_server_decides_by_these_rights(overlay: Overlay) -> None:
    asked = list(product(accounts(overlay.kubectl), (NAMESPACE, ELSEWHERE), ASKED))
    granted = {(*at, right) for at, every in RIGHTS.items() for right in every}
    assert allowed(overlay.kubectl, asked) == granted & set(asked)
