"""The name under which agents find gateways, as a cluster's DNS would answer it on this machine.

A headless Service answers with the addresses of the pods that are ready. Here a file does, which
stands in the place of /etc/hosts for one process alone (a mount namespace of its own, Linux), so
that the resolver of the shipped files runs as it is.
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
# The second line keeps every other question for names on this machine, where nobody answers.
SCRIPT = """\
#!{shell}
exec {unshare} --user --map-root-user --mount {shell} -c '
  {mount} --bind {folder}/hosts /etc/hosts &&
  {mount} --bind {folder}/resolv.conf /etc/resolv.conf &&
  exec "$@"' - {binary} "$@"
"""


class Names:
    """Which gateways the agents are told of; a program run by `program` asks it.

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
        """Answer with these addresses from now on; Go asks the file again after 5 s."""
        lines = ["127.0.0.1 localhost", *(f"{address} {NAME}" for address in addresses)]
        self._hosts.write_text("\n".join(lines) + "\n")  # in place: the mount is of this very file

    def check(self) -> None:
        """Raise `AssertionError` with what is needed, where this machine does not allow it."""
        done = subprocess.run([self.program, "--version"], capture_output=True, check=False)
        assert done.returncode == 0, f"{NEEDED}: {done.stderr.decode()}"
