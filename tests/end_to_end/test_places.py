import httpx
from otelcol_runner.ports import accepts

from stack.demo.places import rows
from stack.pipeline.launch import Pipeline


def test_every_address_that_the_demo_prints_can_be_opened_or_connected_to(
    pipeline: Pipeline,
) -> None:
    addresses = [address for _, address, _ in rows(pipeline)]
    pages = [address for address in addresses if address.startswith("http")]
    assert len(pages) >= 5
    answers = {page: httpx.get(page, follow_redirects=True).status_code for page in pages}
    assert answers == dict.fromkeys(pages, 200)
    ports = [int(address.rpartition(":")[2]) for address in addresses if address[:3] == "127"]
    assert len(ports) >= 4
    assert all(map(accepts, ports)), ports
