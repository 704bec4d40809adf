"""The name of the gateways' Service, resolved on this machine as by a cluster's DNS.

A headless Service resolves to the addresses of the pods that are ready. Here the name is in a file
that replaces /etc/hosts for one process (in a mount namespace, on Linux), so that the shipped
files' resolver runs unchanged.
"""

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

NAME = "gateway.agentical.svc.cluster.local"
NEEDED = (
    "agents here need a file of hosts of their own: run this on Linux with unshare (util-linux) "
    "and user namespaces allowed"
)
# The second line keeps all other DNS queries on this machine, where nothing answers.
SCRIPT = """\
#!{shell}
exec {unshare} --user --map-root-user --mount {shell} -c '
  {mount} --bind {folder}/hosts /etc/hosts &&
  {mount} --bind {folder}/resolv.conf /etc/resolv.conf &&
  exec "$@"' - {binary} "$@"
"""


class Names:
    """The gateways that agents can resolve; a program started through `program` uses it.

    Args:
        folder: for its files.
        binary: the program.
    """

    def __init__(self, folder: Path, binary: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._hosts = folder / "hosts"
        (folder / "resolv.conf").write_text("nameserver 127.0.0.1\n")
        self.answer([])
        self.program = folder / "program"
        found = {name: shutil.which(name) for name in ("unshare", "mount")}
        assert all(found.values()), NEEDED
        text = SCRIPT.format(**found, shell="/bin/sh", folder=folder, binary=binary)
        self.program.write_text(text)
        self.program.chmod(0o755)

    def answer(self, addresses: Iterable[str]) -> None:
        """Resolve to these addresses from now on; Go reads the file again after 5 s."""
        lines = ["127.0.0.1 localhost", *(f"{address} {NAME}" for address in addresses)]
        self._hosts.write_text("\n".join(lines) + "\n")  # in place: the mount is of this inode

    def check(self) -> None:
        """Raise `AssertionError` with what is needed, where this machine does not allow it."""
        done = subprocess.run([self.program, "--version"], capture_output=True, check=False)
        assert done.returncode == 0, f"{NEEDED}: {done.stderr.decode()}"
