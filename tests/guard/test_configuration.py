"""The Caddyfile in Caddy's own commands, and a running guard's ports and files."""

import re
from importlib.metadata import version
from pathlib import Path

import psutil
import pytest
from otelcol_runner.ports import free_port

from stack.paths import ROOT
from stack.services.guard import CONFIG, PACKAGE, Guard
from tests.containers.images import defaults
from tests.support.caddy import adapted, caddy, listeners

HEAD = re.compile(r"^# (GUARD_[A-Z_]+) ", re.MULTILINE)


def test_the_caddyfile_is_formatted() -> None:
    assert caddy("fmt", str(CONFIG)) == CONFIG.read_text()


@pytest.mark.parametrize("tls", ["on", "off", ""])
def test_caddy_accepts_the_file_with_and_without_tls(tls: str) -> None:
    variables = {"GUARD_TLS": tls, "GUARD_METRICS_TLS": tls}
    caddy("validate", "--config", str(CONFIG), "--adapter", "caddyfile", variables=variables)
    assert ("'ca': {'provider': 'system'}" in str(adapted(variables))) is (tls == "on")


def test_a_custom_ca_may_be_in_any_folder() -> None:
    config = adapted({"GUARD_TLS": "on", "GUARD_TRUST": 'file "/a folder/ca.pem"'})
    assert "'ca': {'pem_files': ['/a folder/ca.pem'], 'provider': 'file'}" in str(config)


def test_a_tls_setting_other_than_on_or_off_is_refused() -> None:
    with pytest.raises(AssertionError, match="tls-yes"):
        adapted({"GUARD_TLS": "yes"})


def test_the_head_comment_explains_every_variable() -> None:
    head, body = CONFIG.read_text().split("\n{\n", 1)
    assert set(HEAD.findall(head)) == set(re.findall(r"\{\$(\w+)", body))


def test_it_can_listen_on_several_ports_and_all_addresses() -> None:
    config = {"GUARD_HOST": "0.0.0.0", "GUARD_LISTEN": "5001 :5002", "GUARD_METRICS_LISTEN": "5003"}
    assert listeners(config) == {"0.0.0.0:5001", "0.0.0.0:5002", "0.0.0.0:5003"}


def test_requests_are_routed_whatever_their_host_header() -> None:
    # Caddy answers an empty 200 to a host that matches no site.
    for server in adapted({"GUARD_LISTEN": "4319 :4329"})["apps"]["http"]["servers"].values():
        assert "'host'" not in str([route.get("match") for route in server["routes"]])


def test_the_tested_version_is_the_one_in_containers() -> None:
    gateway = (ROOT / "deploy" / "kubernetes" / "base" / "gateway.yaml").read_text()
    pinned = defaults()["GUARD_IMAGE"]
    assert pinned.partition("@")[0] == f"caddy:{version(PACKAGE)}"
    assert re.findall(r"image: (caddy:\S+)", gateway) == [pinned]


def test_it_opens_no_other_port_and_leaves_nothing_on_disk(tmp_path: Path) -> None:
    ports = free_port(), free_port()
    homes = dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"), str(tmp_path))
    guard = Guard(*ports, homes)
    guard.cwd = tmp_path
    with guard:
        sockets = psutil.Process(guard.pid).net_connections("inet")
        open_at = {tuple(one.laddr) for one in sockets if one.status == psutil.CONN_LISTEN}
    assert open_at == {("127.0.0.1", port) for port in ports}
    assert list(tmp_path.iterdir()) == []
