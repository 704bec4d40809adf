"""A standby of an embedded Postgres."""

from pathlib import Path

from stack.services.postgres import Postgres


class Replica(Postgres):
    """Streams from `primary`, on a port of its own; the first start copies the cluster."""

    def __init__(self, primary: Postgres, port: int, data: Path) -> None:
        super().__init__(port, data, password=primary.password, user=primary.user)
        self.primary, self.name = primary, "replica"

    def _initialise(self, cluster: Path) -> None:
        where = [f"--host=127.0.0.1 --port={self.primary.port}", f"--username={self.user}"]
        copy = ["--checkpoint=fast", "--write-recovery-conf", f"--pgdata={cluster}"]
        self._run("pg_basebackup", *where[0].split(), *where[1:], *copy)

    def _create_database(self) -> None:
        """Do nothing: the databases come from the primary."""

    def pause(self) -> None:
        """Receive what the primary writes, but do not replay it."""
        self._run("psql", "--command", "SELECT pg_wal_replay_pause()")

    def resume(self) -> None:
        """Replay again."""
        self._run("psql", "--command", "SELECT pg_wal_replay_resume()")
