"""A FastAPI service on the logfire SDK; variables say where it sends."""

import logging
import os

import logfire
from fastapi import FastAPI

from tests.producers.services.routes import add_routes

logfire.configure(
    send_to_logfire="LOGFIRE_BASE_URL" in os.environ, distributed_tracing=True, console=False
)
logging.getLogger().addHandler(logfire.LogfireLoggingHandler())
app = FastAPI()
logfire.instrument_fastapi(app)
orders = logfire.metric_counter("orders")


def taken() -> None:
    orders.add(1)
    with logfire.span("packing {what}", what="boxes"):
        logfire.info("packed {what}", what="boxes")


add_routes(app, taken)
