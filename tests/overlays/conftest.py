"""What the collector's room starts, here as well."""

from tests.collector.conftest import start_pipeline as start_pipeline
