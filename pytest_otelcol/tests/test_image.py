"""What is told to a container outside the host's network, as with Docker Desktop."""

from pytest_otelcol.collector import Launch
from pytest_otelcol.image import published, rewritten


def test_it_listens_on_all_addresses_and_finds_the_host() -> None:
    env = {
        "OTLP_HTTP_LISTEN": "127.0.0.1:4318",
        "HEALTH_LISTEN": "127.0.0.1:13133",
        "OWN_PORT": "8888",
        "BACKEND": "http://127.0.0.1:9000",
        "NAME": "shop",
    }
    listen, ports = ["OTLP_HTTP_LISTEN", "HEALTH_LISTEN"], ["OWN_PORT"]
    launch = Launch([], [], env, listen, ports)
    assert published(launch) == [4318, 13133, 8888]
    assert rewritten(launch) == {
        **env,
        "OTLP_HTTP_LISTEN": "0.0.0.0:4318",
        "HEALTH_LISTEN": "0.0.0.0:13133",
        "BACKEND": "http://host.docker.internal:9000",
    }
