"""The images of the container tests: pulled where a registry answers, or built from the same parts.

`docker-compose.yml` names the images; each can be set by its variable. What cannot be pulled is
built on a Debian root file system and from the binaries of `stack.tools`, under `agentical-test/`.
"""

import os
import re
import shutil
import ssl
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import yaml

from stack.errors import UserError
from stack.paths import ROOT
from stack.services import guard
from stack.tools import toolchain
from stack.tools.node import node
from tests.containers import debian
from tests.containers.docker import build, digest, has_image, pull

STAND_INS = Path(__file__).parent / "stand_ins"
PIP_CONFIG = Path("/etc/pip.conf")
# Targets of the Dockerfile.
OWN = {"APP_IMAGE": "app", "PAGE_IMAGE": "page", "STAND_IN_IMAGE": "stand-in"}
CANNOT_BE_BUILT = {"GRAFANA_IMAGE", "VIEWER_IMAGE"}


def defaults() -> dict[str, str]:
    """Return the image of each variable as `docker-compose.yml` pins it."""
    document = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    entries = (re.fullmatch(r"\$\{(\w+):-(.+)\}", text) for text in document["x-images"].values())
    return {entry[1]: entry[2] for entry in entries if entry}


@cache
def image(variable: str) -> str | None:
    """Return an image that exists locally, or None where it can be neither pulled nor built."""
    chosen = os.environ.get(variable)
    if chosen:
        return chosen
    pinned = defaults()[variable]
    if variable in OWN:
        return own_image(OWN[variable])
    if has_image(pinned) or pull(pinned):
        return pinned
    return None if variable in CANNOT_BE_BUILT else stand_in(variable)


def needed(variable: str) -> str:
    """Return the image; raises `UserError` where it can be neither pulled nor built."""
    found = image(variable)
    if found is None:
        raise UserError(f"{defaults()[variable]} cannot be pulled: set {variable} to one that can")
    return found


def own_image(target: str) -> str:
    """Build a target of the project's Dockerfile; the engine's own cache makes it quick."""
    name = f"agentical-test/{target}:built"
    arguments = {"PYTHON_IMAGE": python} if (python := python_image()) else {}
    build(ROOT, ROOT / "Dockerfile", name, arguments, target)
    return name


@cache
def python_image() -> str | None:
    """Return the Python to build on, or None for the one the Dockerfile pins."""
    if chosen := os.environ.get("PYTHON_IMAGE"):
        return chosen
    pinned = re.search(r"^ARG PYTHON_IMAGE=(\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    if pinned and (has_image(pinned[1]) or pull(pinned[1])):
        return None
    return stand_in("PYTHON_IMAGE")


def stand_in(variable: str) -> str:
    """Build the image that stands in for the variable's, once for each content."""
    name = variable.removesuffix("_IMAGE").lower()
    base = {} if name == "collector" else {"DEBIAN": debian.image()}
    return built(name, (STAND_INS / f"{name}.Dockerfile").read_text(), CONTENT.get(name), base)


def built(
    name: str,
    recipe: str,
    put: Callable[[Path], None] | None = None,
    arguments: Mapping[str, str] | None = None,
) -> str:
    """Build `agentical-test/NAME` by the text of a Dockerfile, once for each content.

    Args:
        name: the image's last name.
        recipe: the text.
        put: puts what the recipe copies into the folder that it is given.
        arguments: the recipe's.
    """
    arguments = arguments or {}
    with tempfile.TemporaryDirectory(prefix="agentical-image-") as folder:
        context = Path(folder)
        file = context / f"{name}.Dockerfile"
        file.write_text(recipe)
        if put:
            put(context)
        content = digest(*sorted(context.iterdir()), text=str(arguments))
        tag = f"agentical-test/{name}:{content}"
        if not has_image(tag):
            build(context, file, tag, arguments)
        return tag


def binary(name: str, provide: Callable[[], Path]) -> Callable[[Path], None]:
    """Return what puts a tool's binary into a build context."""

    def put(context: Path) -> None:
        shutil.copy(provide(), context / name)

    return put


def postgres_content(context: Path) -> None:
    """Put the entry point into a build context."""
    shutil.copy(STAND_INS / "postgres-entrypoint.sh", context)


def python_content(context: Path) -> None:
    """Put what this machine needs to reach the registries of packages into a build context."""
    trusted = os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
    if trusted is None:
        raise UserError("no file of trusted certificates was found: set SSL_CERT_FILE")
    shutil.copy(trusted, context / "trusted.pem")
    (context / "pip.conf").write_text(PIP_CONFIG.read_text() if PIP_CONFIG.exists() else "")
    ask = [*node().npm, "config", "get", "registry"]
    registry = subprocess.run(ask, capture_output=True, text=True, check=True).stdout.strip()
    (context / "npmrc").write_text(f"registry={registry}\n")


CONTENT: dict[str, Callable[[Path], None]] = {
    "guard": binary("caddy", guard.binary),
    "collector": binary("otelcol", toolchain.collector),
    "prometheus": binary("prometheus", toolchain.prometheus),
    "alertmanager": binary("alertmanager", toolchain.alertmanager),
    "postgres": postgres_content,
    "python": python_content,
}
