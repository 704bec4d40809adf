"""A gateway's guard that is killed while tests run, again and again: each is seen 10 s later."""

from otelcol_runner.polling import poll_until

from stack.clients.prometheus import PromQL
from tests.cluster.backends import prometheus
from tests.cluster.kubectl import NAMESPACE, Kubectl
from tests.support.background import Background

# The newest: the series of a pod's former node stays for some minutes.
START = f'max(container_start_time_seconds{{namespace="{NAMESPACE}",container="guard"}})'
RESTARTS = 4  # the alert counts more than three in ten minutes


class Kills(Background):
    """Kills the guard until its starts have been seen often enough for an alert."""

    def __init__(self, kubectl: Kubectl) -> None:
        super().__init__("kills")
        self._kubectl = kubectl

    def finish(self) -> None:
        """Wait for the last of them. Raises the first error."""
        self._thread.join()
        self.end()

    def _send(self) -> None:
        with prometheus(self._kubectl) as metrics:
            seen = self._start_after(metrics, 0)
            for _ in range(RESTARTS):
                if self._end.is_set():
                    return
                self._kubectl.execute(NAMESPACE, "gateway-0", "guard", "sh", "-c", "kill 1")
                seen = self._start_after(metrics, seen)

    def _start_after(self, metrics: PromQL, before: float) -> float:
        """Return the guard's next start once it was reported, for which kubelets are read."""
        poll_until(
            lambda: self._end.is_set() or metrics.number(START) > before,
            "the guard's next start",
            timeout=120,
            interval=0.5,
        )
        return metrics.number(START)
