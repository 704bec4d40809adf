"""A FastAPI service on the logfire SDK; variables say where it sends."""

import logging
import os

import logfire
from fastapi import FastAPI

from tests.producers.services.routes import add_routes

to_collector_only = "LOGFIRE_BASE_URL" not in os.environ
logfire.configure(
    send_to_logfire=False if to_collector_only else "if-token-present",
    distributed_tracing=True,
    console=False,
)
logging.getLogger().addHandler(logfire.LogfireLoggingHandler())
app = FastAPI()
logfire.instrument_fastapi(app)
add_routes(app)
