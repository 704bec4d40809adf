"""What the page's server is set to: variables, most of them those of the other commands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import httpx
from otelcol_runner.ports import Port, place

from stack.clients.logfire import LOCAL_ENDPOINT, endpoint_and_token
from stack.errors import UserError
from stack.secrets import address
from stack.services.view import NONE
from stack.standins.listening import listen_address
from stack.view.gate import HOST

PROMETHEUS = "http://127.0.0.1:9090"


@dataclass(frozen=True)
class Settings:
    """Where the server listens, and what it reads; an empty URL means that there is none.

    `files` is the folder of the built page. `hosts` are names besides loopback's that a browser may
    use for this server. `api_docs` and `project_url` are only passed on, for links.
    """

    host: str
    port: int
    files: Path
    prometheus: str = ""
    logfire: str = ""
    read_token: str = field(default="", repr=False)
    alertmanager: str = ""
    project_url: str = ""
    api_docs: str = ""
    hosts: frozenset[str] = frozenset()

    @property
    def place(self) -> str:
        """Host and port as a URL has them."""
        return place(Port(self.port, self.host))

    @classmethod
    def from_environment(cls, variables: Mapping[str, str]) -> Self:
        """Return the settings; raises `UserError`, one sentence, for a value that cannot work."""
        host, port = listen_address("VIEW_LISTEN", "127.0.0.1:3000")
        logfire, token = logfire_of(variables)
        api = backend(variables, "API_URL")
        return cls(
            host,
            port,
            Path(variables.get("VIEW_FILES", "")),
            prometheus=backend(variables, "PROMETHEUS_URL", PROMETHEUS),
            logfire=logfire,
            read_token=token,
            alertmanager=backend(variables, "ALERTMANAGER_URL"),
            project_url=backend(variables, "LOGFIRE_PROJECT_URL"),
            api_docs=f"{api}/docs" if api else "",
            hosts=allowed(variables.get("VIEW_ALLOWED_HOSTS", "")) | {host.lower()},
        )


def allowed(names: str) -> frozenset[str]:
    """Return hosts without ports and brackets, as the server compares them; raises `UserError`."""
    return frozenset(host_of(name.strip()) for name in names.split(",") if name.strip())


def host_of(name: str) -> str:
    found = HOST.fullmatch(f"[{name}]" if name.count(":") > 1 and name[0] != "[" else name)
    if found is None:
        raise UserError(
            f"VIEW_ALLOWED_HOSTS has {name!r}, which is not a host: set it to names as in the "
            "browser's address bar, without http:// and paths, separated by commas"
        )
    return found[1].strip("[]").lower()


def logfire_of(variables: Mapping[str, str]) -> tuple[str, str]:
    """Return Logfire's query API and the read token, both empty if there is none."""
    if variables.get("LOGFIRE_QUERY_ENDPOINT") == NONE:
        return "", ""
    backend(variables, "LOGFIRE_QUERY_ENDPOINT", LOCAL_ENDPOINT)
    return endpoint_and_token(variables)


def backend(variables: Mapping[str, str], name: str, default: str = NONE) -> str:
    """Return a URL without a slash at its end, empty for `none`; raises `UserError`."""
    if (variables.get(name) or default) == NONE:
        return ""
    url = address(variables, name, default)
    try:
        parts = httpx.URL(url)
    except httpx.InvalidURL:
        parts = httpx.URL("")
    if not parts.host or parts.query or parts.fragment:
        raise UserError(f"{name} is not the URL of a server: set it to http://host:port")
    return url
