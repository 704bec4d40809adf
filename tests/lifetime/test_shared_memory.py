import re
from pathlib import Path

from tests.support.servers import run_postgres


def test_a_killed_postgres_leaves_no_shared_memory() -> None:
    with run_postgres() as postgres:
        maps = Path("/proc", str(postgres.pid), "maps")  # where there is none, neither is /dev/shm
        mapped = re.findall(r"/dev/shm/PostgreSQL\.\d+", maps.read_text() if maps.exists() else "")
        postgres.kill()
        assert [segment for segment in mapped if Path(segment).exists()] == []
        postgres.start()
