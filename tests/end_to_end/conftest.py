from collections.abc import Iterator

import pytest

from stack.pipeline.launch import Pipeline


@pytest.fixture(scope="session")
def pipeline() -> Iterator[Pipeline]:
    with Pipeline(variables={"SPAN_METRICS_INTERVAL": "1s"}) as running:
        yield running
