"""Faults on demand, to test how the collector handles a failing service."""

import asyncio
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from uvicorn.protocols.http.h11_impl import H11Protocol

ALWAYS_UP = (b"GET /control", b"PUT /control", b"DELETE /control", b"GET /health")
FAULTY = (b"POST /v", b"GET /v")


class Faults(BaseModel):
    """The current faults; none by default.

    `slow`, `refuse` and `poison` affect the OTLP paths; `down` affects all paths but `/control` and
    `/health`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    slow: float = Field(default=0.0, ge=0, le=3600)  # seconds before each response
    down: Literal["", "close", "503"] = ""  # cut connections, or answer 503
    refuse: int | None = Field(default=None, ge=400, le=599)  # answer with this status
    retry_after: int | None = None  # seconds, sent with `refuse` and with "503"
    poison: str = ""  # answer 400 to bodies with this text, accept others

    @model_validator(mode="after")
    def _retry_after_what(self) -> Self:
        if self.retry_after is not None and self.refuse is None and self.down != "503":
            raise ValueError("retry_after needs refuse, or down=503")
        return self

    @property
    def status(self) -> int | None:
        """The status that every OTLP request gets, or None."""
        return 503 if self.down == "503" else self.refuse

    @property
    def headers(self) -> dict[str, str]:
        return {} if self.retry_after is None else {"retry-after": str(self.retry_after)}

    def poisoned(self, body: bytes) -> bool:
        """Return whether the body contains the `poison` text."""
        return bool(self.poison) and self.poison.encode() in body

    async def delay(self) -> None:
        if self.slow:
            await asyncio.sleep(self.slow)


class CuttingProtocol(H11Protocol):
    """An HTTP protocol that cuts connections while `down` is "close", like a dead host.

    An ASGI application cannot close a connection without a response; the protocol can.
    """

    faults = Faults()
    exempt = False  # the current request is one of ALWAYS_UP

    def data_received(self, data: bytes) -> None:
        """Handle data, or cut the connection; a request may arrive in several chunks."""
        self.exempt = data.startswith(ALWAYS_UP) or (self.exempt and not data.startswith(FAULTY))
        if CuttingProtocol.faults.down == "close" and not self.exempt:
            self.transport.abort()
        else:
            super().data_received(data)
