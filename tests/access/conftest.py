"""What the rooms of the service and of the collector start, here as well."""

from tests.app.conftest import postgres as postgres
from tests.app.conftest import redis as redis
from tests.collector.conftest import start_pipeline as start_pipeline
