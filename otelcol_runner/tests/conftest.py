from collections.abc import Iterator

import pytest

from tests.support.traces import Traces, traced


@pytest.fixture
def traces() -> Iterator[Traces]:
    with traced() as found:
        yield found
