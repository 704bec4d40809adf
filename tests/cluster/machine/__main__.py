"""Runs a cluster until Ctrl-C, to look into it: `python -m tests.cluster.machine`."""

import signal
import sys
from contextlib import suppress

from otelcol_runner.polling import NotSeenError
from otelcol_runner.process import ProcessFailedError

from stack.errors import UserError
from stack.pipeline.interrupts import interruptible
from stack.tools.progress import say
from tests.cluster import volumes
from tests.cluster.machine.cluster import started


def main() -> None:
    """Start it, say how to reach it, wait, and end it."""
    try:
        with interruptible(), started() as cluster:
            volumes.provide(cluster)  # whoever is given KUBECONFIG alone cannot
            say(f"export KUBECONFIG={cluster.kubectl.kubeconfig}; Ctrl-C here ends the cluster")
            with suppress(KeyboardInterrupt):
                signal.pause()
    except KeyboardInterrupt:
        say("interrupted")
    except (UserError, NotSeenError, ProcessFailedError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
