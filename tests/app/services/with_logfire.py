"""A service on the logfire SDK, with nothing of this project in it."""

import logfire
from fastapi import FastAPI

logfire.configure(
    send_to_logfire=False, service_name="legacy", distributed_tracing=True, console=False
)
app = FastAPI()
logfire.instrument_fastapi(app)
greetings = logfire.metric_counter("greetings")


@app.get("/hello/{name}")
async def hello(name: str) -> dict[str, str]:
    greetings.add(1)
    with logfire.span("greeting {name}", name=name):
        logfire.info("hello {name}", name=name)
    return {"hello": name}


@app.get("/broken")
async def broken() -> None:
    raise ValueError("broken on purpose")
