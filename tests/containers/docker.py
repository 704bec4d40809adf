"""The few commands of the Docker client that the container tests need."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from stack.errors import UserError

PULL_SECONDS = 600
NO_CONNECTION = (
    "no such host",
    "connection refused",
    "i/o timeout",
    "network is unreachable",
    "Client.Timeout",
    "TLS handshake timeout",
)
unreachable: set[str] = set()  # registries, the default one is the empty string


def docker(*arguments: str, env: Mapping[str, str] | None = None, timeout: float = 600) -> str:
    """Run the client, in `env` if given, and return its output.

    Raises:
        UserError: it is missing, or failed; with the end of what it said.
    """
    if shutil.which("docker") is None:
        raise UserError("the docker client is missing: install Docker, docs.docker.com/get-docker")
    done = subprocess.run(
        ["docker", *arguments],
        env=env,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-30:])
        raise UserError(f"docker {' '.join(arguments[:4])} failed:\n{said}")
    return done.stdout


@cache
def engine() -> str:
    """Return the engine's version, or an empty string where none answers."""
    try:
        return docker("version", "--format", "{{.Server.Version}}", timeout=20).strip()
    except (UserError, subprocess.TimeoutExpired):
        return ""


def has_image(name: str) -> bool:
    """Tell whether the engine has the image."""
    try:
        docker("image", "inspect", name)
    except UserError:
        return False
    return True


def pull(name: str) -> bool:
    """Pull an image; False where its registry cannot be reached. Raises `UserError` otherwise."""
    first, _, rest = name.partition("/")
    registry = first if rest and ("." in first or ":" in first) else ""
    if registry in unreachable:
        return False
    try:
        docker("pull", "--quiet", name, timeout=PULL_SECONDS)
    except UserError as error:
        if not any(sign in str(error) for sign in NO_CONNECTION):
            raise
        unreachable.add(registry)
        return False
    return True


def build(
    context: Path, recipe: Path, tag: str, arguments: Mapping[str, str], target: str = ""
) -> None:
    """Build an image; its steps use the host's network and proxies, as its package index is."""
    proxies = {name: os.environ[name] for name in PROXIES if name in os.environ}
    flags = ["--network=host", f"--file={recipe}", f"--tag={tag}"]
    flags += [f"--build-arg={name}={value}" for name, value in {**proxies, **arguments}.items()]
    flags += [f"--target={target}"] if target else []
    env = {**os.environ, **({} if has_buildx() else {"DOCKER_BUILDKIT": "0"})}
    docker("build", *flags, str(context), env=env, timeout=1200)


PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


@cache
def has_buildx() -> bool:
    """Tell whether the client has BuildKit's buildx; the older builder works as well."""
    try:
        docker("buildx", "version")
    except UserError:
        return False
    return True


def digest(*paths: Path, text: str = "") -> str:
    """Return a short hash of files and a text."""
    total = hashlib.sha256(text.encode())
    for path in paths:
        total.update(path.name.encode())
        with path.open("rb") as content:
            total.update(hashlib.file_digest(content, "sha256").digest())
    return total.hexdigest()[:12]
