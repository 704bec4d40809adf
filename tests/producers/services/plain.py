"""A FastAPI service without telemetry code."""

from fastapi import FastAPI

from tests.producers.services.routes import add_routes

app = FastAPI()
add_routes(app)
