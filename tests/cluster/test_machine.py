"""The cluster on this machine ends with nothing left: here its parts, the whole after each run."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from otelcol_runner.polling import poll_until

from stack.errors import UserError
from tests.cluster.machine import cgroups, traces
from tests.cluster.machine.addresses import NAME, NODES
from tests.cluster.machine.cluster import started
from tests.cluster.machine.lock import TAKEN
from tests.cluster.machine.namespaces import Namespaces
from tests.cluster.machine.network import BRIDGE, BRIDGE_ADDRESS, make_switch
from tests.cluster.running import Cluster

HOLD = """\
import sys, time
from pathlib import Path
from tests.cluster.machine.namespaces import Namespaces
from tests.cluster.machine.node import KINDS
with Namespaces("trial", KINDS, Path(sys.argv[1])) as inside:
    inside.run("mount", "-t", "tmpfs", "tmpfs", "/run")
    inside.run("ip", "link", "add", "inside", "type", "bridge")
    with inside.process("sleeper", "sleep", "1000"):
        print("ready", flush=True)
        time.sleep(1000)
"""


def test_a_second_cluster_is_refused(cluster: Cluster) -> None:
    with pytest.raises(UserError) as error, started():
        pass
    assert str(error.value) == TAKEN


def test_the_usage_of_each_node_is_served(cluster: Cluster) -> None:
    service = "apiservice/v1beta1.metrics.k8s.io"
    cluster.kubectl.run("wait", "--for=condition=Available", service, "--timeout=50s")
    found = cluster.kubectl.json("get", "nodes.metrics.k8s.io")["items"]
    assert {item["metadata"]["name"] for item in found} == {place.name for place in NODES}


def test_the_comparison_names_what_is_left(tmp_path: Path) -> None:
    before = traces.seen()
    group = cgroups.hierarchies()[0] / f"{NAME}-trial"
    group.mkdir()
    try:
        with Namespaces("trial", ("net",), tmp_path) as inside:
            peer = ("type", "veth", "peer", "name", "other", "netns", str(inside.pid))
            subprocess.run(["ip", "link", "add", "agentical-trial", *peer], check=True)
            found = [line for line in traces.differences(before, traces.seen()) if "net:" in line]
            assert len(found) == 1
            left = set(traces.differences(before, traces.seen())) - set(found)
            assert left == {"+ interfaces: agentical-trial", f"+ cgroups: {group}"}
    finally:
        group.rmdir()
    traces.check(before)


def test_the_switch_keeps_its_address_when_a_node_is_plugged_in(tmp_path: Path) -> None:
    lower = "02:00:00:00:00:01"
    with Namespaces("trial", ("net",), tmp_path) as switch:
        make_switch(switch)
        peer = ("type", "veth", "peer", "name", "other")
        switch.run("ip", "link", "add", "port", "address", lower, *peer)
        switch.run("ip", "link", "set", "port", "master", BRIDGE, "up")
        assert BRIDGE_ADDRESS in switch.run("ip", "link", "show", BRIDGE)


def test_nothing_outlives_a_run_that_is_killed(tmp_path: Path) -> None:
    before = traces.seen()
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout
        assert run.stdout.readline() == "ready\n"
        assert any("namespaces" in line for line in traces.differences(before, traces.seen()))
        os.kill(run.pid, signal.SIGKILL)
    traces.check(before)


def test_cgroups_of_a_killed_run_are_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroups, "NAME", f"{NAME}-trial")
    cgroups.create()
    assert all(top.exists() for top in cgroups.tops())
    cgroups.remove()
    assert not any(top.exists() for top in cgroups.tops())


def test_a_process_that_keeps_a_cgroup_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroups, "NAME", f"{NAME}-trial")
    cgroups.create()
    with subprocess.Popen(["sleep", "1000"]) as sleeper:
        (cgroups.tops()[0] / "cgroup.procs").write_text(str(sleeper.pid))
        with pytest.raises(UserError, match=rf"in them: sleep \({sleeper.pid}\)$"):
            cgroups.remove(timeout=1)
        sleeper.kill()
    poll_until(lambda: not cgroups.processes(), "the end of the process")
    cgroups.remove()


def test_a_cgroup_of_v2_gets_its_parents_controllers(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("cpuset cpu io memory hugetlb pids rdma\n")
    folder = tmp_path / "below"
    folder.mkdir()
    cgroups.prepare(folder)
    enabled = (tmp_path / "cgroup.subtree_control").read_text()
    assert enabled == "+cpuset +cpu +io +memory +pids"
