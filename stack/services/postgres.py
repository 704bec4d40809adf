"""An embedded Postgres."""

import os
import shutil
import signal
from pathlib import Path

from otelcol_runner.lifetime import run
from otelcol_runner.process import Process

from stack.tools import toolchain

NOBODY = 65534


class Postgres(Process):
    """An embedded Postgres 18 on loopback, with password authentication and its data in `data`.

    Postgres refuses to run as root. If this process is root, Postgres runs as user `nobody`, from a
    copy of the package that this user may read.
    """

    def __init__(self, port: int, data: Path, *, password: str, user: str = "agentical") -> None:
        self.port, self.data, self.password, self.user = port, data, password, user
        self.home = toolchain.postgres_home()
        root = hasattr(os, "geteuid") and os.geteuid() == 0
        self._run_as = NOBODY if root else None
        super().__init__(
            "postgres",
            [],
            ready=lambda: self._run("psql", "--command", "SELECT 1"),
            stop_signal=signal.SIGINT,  # fast: SIGTERM would wait for all clients to disconnect
            uid=self._run_as,
            cwd=data,
        )

    @property
    def dsn(self) -> str:
        return f"postgresql://{self.user}:{self.password}@127.0.0.1:{self.port}/agentical"

    def start(self) -> None:
        """Start the server; the first start creates the cluster and the database."""
        if self._run_as is not None and not self.home.is_relative_to(self.data):
            self.home = self._readable_copy()
        cluster = self.data / "cluster"
        fresh = not cluster.exists()
        if fresh:
            self._initialise(cluster)
        self.argv = [str(self.home / "bin" / "postgres"), "-D", str(cluster), *self._options()]
        super().start()
        if fresh:
            self._create_database()

    def _create_database(self) -> None:
        self._run("psql", "--command", "CREATE DATABASE agentical")

    def _options(self) -> list[str]:
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "shared_buffers": "32MB",
            "max_connections": 60,
            "log_min_messages": "warning",
        }
        return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

    def _readable_copy(self) -> Path:
        """Copy the package and, next to it, the libraries that its wheel bundles."""
        package = self.home.parent
        for folder in (package, package.parent / f"{package.name}.libs"):
            if folder.exists() and not (self.data / folder.name).exists():
                shutil.copytree(folder, self.data / folder.name, symlinks=True)
        os.chown(self.data, NOBODY, NOBODY)
        return self.data / package.name / self.home.name

    def _initialise(self, cluster: Path) -> None:
        secret = self.data / "password"
        secret.touch(mode=0o600)
        secret.write_text(self.password)
        if self._run_as is not None:
            os.chown(secret, NOBODY, NOBODY)
        arguments = ["--auth=scram-sha-256", f"--pwfile={secret}", "--encoding=UTF8"]
        # Files in the data folder: a killed server would leave its segments in /dev/shm.
        arguments += ["--set=dynamic_shared_memory_type=mmap"]
        arguments += ["--no-locale", "--no-sync", "--no-instructions", f"--username={self.user}"]
        try:
            self._run("initdb", "-D", str(cluster), *arguments)
        finally:
            secret.unlink()

    def _run(self, program: str, *arguments: str) -> bool:
        """Run one of Postgres' programs; raises `OSError` with its output if it fails."""
        variables = {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.port),
            "PGUSER": self.user,
            "PGPASSWORD": self.password,
            "PGDATABASE": "postgres",
            "PATH": os.environ["PATH"],
        }
        done = run(
            [self.home / "bin" / program, *arguments],
            env=variables,
            user=self._run_as,
            group=self._run_as,
            cwd=self.data,
            # Not asked to end: interrupted, initdb leaves shared memory. It is done in a second.
            stop_signal=signal.SIGCONT,
        )
        if done.returncode:
            raise OSError(f"{program}: {done.stderr.strip() or done.stdout.strip()}")
        return True
