"""kubectl, with a deadline for each command and an error that says what it said."""

import json
import os
import re
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from otelcol_runner.polling import poll_until
from otelcol_runner.process import Process

from stack.errors import UserError
from stack.paths import ROOT

OVERLAYS = ROOT / "deploy" / "kubernetes" / "overlays"
NAMESPACE = "agentical"
# What docs/kubernetes.md has people create before an overlay.
SECRETS = {
    "agentical-postgres": {"password": "local-password"},
    "agentical-logfire": {"token": "local-write-token"},
}
PORT = re.compile(r"^Forwarding from 127\.0\.0\.1:(\d+) ->", re.MULTILINE)


class Kubectl:
    """kubectl of one cluster.

    Args:
        program: kubectl itself.
        kubeconfig: the cluster, and who asks it.
        cache: where it keeps what it has asked, instead of in the home folder.
    """

    def __init__(self, program: Path | str, kubeconfig: Path, cache: Path | None = None) -> None:
        self.program = str(program)
        self.kubeconfig = kubeconfig
        self._flags = [f"--kubeconfig={kubeconfig}"]
        self._flags += [f"--cache-dir={cache}"] if cache else []

    def run(self, *arguments: str, text: str = "", timeout: float = 60) -> str:
        """Run a command with `text` as its input, and return what it prints.

        Raises:
            UserError: it failed or took more than `timeout` seconds; with the end of its errors.
        """
        done = self._completed(arguments, text, timeout)
        if done.returncode:
            raise UserError(f"kubectl {' '.join(arguments)} failed: {end(done.stderr)}")
        return done.stdout

    def json(self, *arguments: str, timeout: float = 60) -> Any:
        """Return what a command answers with `--output=json`."""
        return json.loads(self.run(*arguments, "--output=json", timeout=timeout))

    def apply(self, manifest: Path | str, *, timeout: float = 60) -> str:
        """Apply a file, a folder of files, or the text of manifests, by the server's own merge."""
        command = ("apply", "--server-side", "--filename")
        if isinstance(manifest, Path):
            return self.run(*command, str(manifest), timeout=timeout)
        return self.run(*command, "-", text=manifest, timeout=timeout)

    def apply_overlay(self, name: str) -> str:
        """Do what docs/kubernetes.md says: the namespace, the Secrets, the overlay."""
        self.create("namespace", NAMESPACE)
        for secret, keys in SECRETS.items():
            literals = [f"--from-literal={key}={value}" for key, value in keys.items()]
            self.create("secret", "generic", secret, *literals, f"--namespace={NAMESPACE}")
        return self.run("apply", "--server-side", "--kustomize", str(OVERLAYS / name))

    def create(self, *arguments: str) -> None:
        """Create an object; one of that name may exist already."""
        done = self._completed(("create", *arguments), "", 60)
        if done.returncode and "already exists" not in done.stderr:
            raise UserError(f"kubectl create {arguments[0]} failed: {end(done.stderr)}")

    def execute(
        self, namespace: str, pod: str, container: str, *command: str, timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in a container; the caller judges its exit code."""
        place = (f"--namespace={namespace}", pod, f"--container={container}")
        return self._completed(("exec", *place, "--", *command), "", timeout)

    @contextmanager
    def forward(self, namespace: str, target: str, port: int) -> Iterator[str]:
        """Yield a local URL of a port of `pod/NAME`, `service/NAME` or `deployment/NAME`.

        The kubelet connects inside the pod, so network policies do not apply. The connection ends
        with the pod that the target had when it was opened.
        """
        arguments = ("port-forward", f"--namespace={namespace}", target, f":{port}")
        with Process(f"port-forward to {target}", self._command(arguments)) as process:
            found = poll_until(
                lambda: PORT.search(process.output()),
                f"the forwarding to {target} in {namespace}",
                timeout=30,
                seen=process.tail,
            )
            yield f"http://127.0.0.1:{found[1]}"

    def exists(self, *arguments: str) -> bool:
        """Tell whether `kubectl get ...` finds something."""
        return bool(self.run("get", *arguments, "--ignore-not-found", "--output=name").strip())

    def objects(self, manifest: Path | str) -> list[dict[str, Any]]:
        """Return the objects of a file or of a kustomization's folder, as they are sent."""
        path = Path(manifest)
        text = self.run("kustomize", str(path)) if path.is_dir() else path.read_text()
        return [item for item in yaml.safe_load_all(text) if item]

    def _completed(
        self, arguments: Sequence[str], text: str, timeout: float
    ) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                self._command(arguments),
                input=text,
                capture_output=True,
                text=True,
                timeout=timeout,
                check=False,
                env=os.environ | {"KUBECONFIG": str(self.kubeconfig)},
            )
        except OSError as error:
            raise UserError(f"{self.program} cannot be run ({error}): install kubectl") from None
        except subprocess.TimeoutExpired:
            said = f"kubectl {' '.join(arguments)} took more than {timeout:g} s"
            raise UserError(f"{said}: does the cluster of {self.kubeconfig} answer?") from None

    def _command(self, arguments: Sequence[str]) -> list[str]:
        return [self.program, *self._flags, *arguments]


def as_list(items: Iterable[Any]) -> str:
    """Return objects as the one that kubectl takes from its input."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(items)})


def end(text: str, lines: int = 5) -> str:
    """Return the last lines of an error output."""
    return "\n".join(text.strip().splitlines()[-lines:])
