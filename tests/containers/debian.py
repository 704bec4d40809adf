"""A Debian root file system with the servers of the container tests, made without a registry."""

import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from stack.errors import UserError
from stack.paths import cache_dir
from tests.containers.docker import digest, docker, has_image

SUITE = "bookworm"
PACKAGES = (
    "ca-certificates",
    "libcap2-bin",
    "postgresql",
    "python3-pip",
    "python3-venv",
    "redis-server",
    "wget",
)


@cache
def image() -> str:
    """Return the image's name, importing it where the engine does not have it."""
    name = f"agentical-test/debian:{digest(text=' '.join((SUITE, *PACKAGES)))}"
    if not has_image(name):
        docker("import", "--change=ENV LANG=C.UTF-8", str(root_file_system(name)), name)
    return name


def root_file_system(name: str) -> Path:
    """Return the tar file of the root file system, from the user's cache or made now (35 s)."""
    tar = cache_dir() / f"debian-{name.rpartition(':')[2]}.tar"
    if not tar.exists():
        with tempfile.TemporaryDirectory(dir=tar.parent, prefix="debian-") as folder:
            made = Path(folder, "root.tar")
            bootstrap(made)
            made.replace(tar)
    return tar


def bootstrap(tar: Path) -> None:
    """Make the root file system. Raises `UserError`."""
    if shutil.which("mmdebstrap") is None:
        raise UserError(
            "the images cannot be pulled, and building them needs mmdebstrap on a Debian machine: "
            "check that the registry can be reached, or apt-get install mmdebstrap"
        )
    slim = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "man", "locale")]
    command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(PACKAGES)}"]
    done = subprocess.run(
        [*command, *slim, SUITE, str(tar)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise UserError(f"mmdebstrap failed: {done.stderr.strip().splitlines()[-1]}")
