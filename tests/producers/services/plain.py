"""A FastAPI service without a word of telemetry."""

from fastapi import FastAPI

from tests.producers.services.routes import add_routes

app = FastAPI()
add_routes(app)
