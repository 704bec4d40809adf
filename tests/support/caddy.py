"""The guard's Caddyfile as Caddy reads it."""

import json
import subprocess
from collections.abc import Mapping
from typing import Any

from stack.services.guard import CONFIG, binary


def caddy(*arguments: str, variables: Mapping[str, str] | None = None) -> str:
    """Return the output of a Caddy command. Raises `AssertionError` with its errors."""
    command = [str(binary()), *arguments]
    done = subprocess.run(
        command, env=dict(variables or {}), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def adapted(variables: Mapping[str, str]) -> dict[str, Any]:
    """Return the whole configuration with these variables set and no others."""
    read = caddy("adapt", "--config", str(CONFIG), "--adapter", "caddyfile", variables=variables)
    return dict(json.loads(read))


def listeners(variables: Mapping[str, str]) -> set[str]:
    """Return the addresses it listens on with these variables set and no others."""
    servers = adapted(variables)["apps"]["http"]["servers"].values()
    return {address for server in servers for address in server["listen"]}
