"""A worker with a handler that blocks its event loop for ever."""

import threading
from typing import NoReturn

import httpx

from app import worker
from app.tasks.handlers import HANDLERS


async def hang(_: str, __: httpx.AsyncClient) -> NoReturn:
    while True:
        threading.Event().wait()


HANDLERS["word_statistics"] = hang
worker.main()
