"""The programs that are built for the cluster."""

from functools import cache
from pathlib import Path

from stack.errors import UserError
from stack.tools import toolchain
from stack.tools.programs import Module, Tool

PAUSE_TOOL = Tool(
    name="pause",
    on_path="agentical-pause",  # nobody has it
    at_least=(1,),
    module=Module(Path(__file__).parent / "pause", 10),
)
CNI = (Path("/usr/lib/cni"), Path("/opt/cni/bin"), Path("/usr/libexec/cni"))


@cache
def pause() -> Path:
    """Return the program that only waits. Raises `UserError`."""
    return toolchain.provide(PAUSE_TOOL)


@cache
def kubernetes() -> Path:
    """Return the program that is all of Kubernetes, by its first argument. Raises `UserError`."""
    return toolchain.cluster_programs()["kubernetes"]  # one build makes the add-ons, too


def cni_plugins() -> Path:
    """Return the folder of the CNI plugins. Raises `UserError`."""
    for folder in CNI:
        if (folder / "ptp").exists():
            return folder
    raise UserError("the CNI plugins are missing: run .ci/cluster-packages as root")
