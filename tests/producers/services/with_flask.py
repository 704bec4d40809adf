"""A Flask service without telemetry code."""

import logging

from flask import Blueprint, Flask, abort

app = Flask(__name__)
v2 = Blueprint("v2", __name__)


@v2.get("/things/<thing>")
def thing(thing: str) -> str:
    return thing


@app.get("/items/<int:item>")
def item(item: int) -> str:
    return str(item)


@app.post("/orders")
def order() -> tuple[str, int]:
    logging.getLogger("shop").warning("order taken")
    return "taken", 201


@app.get("/forbidden")
def forbidden() -> str:
    abort(403)


@app.get("/broken")
def broken() -> str:
    raise ValueError("broken on purpose")


@app.get("/health")
def health() -> str:
    return "well"


@app.get("/last")
def last() -> str:
    return "last"


app.register_blueprint(v2, url_prefix="/v2")
