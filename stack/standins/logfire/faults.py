"""Faults on command, for tests of what the collector does when the service misbehaves."""

import asyncio
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from uvicorn.protocols.http.h11_impl import H11Protocol

ALWAYS_UP = (b"GET /control", b"PUT /control", b"DELETE /control", b"GET /health")
SERVICE = (b"POST /v", b"GET /v")


class Faults(BaseModel):
    """What is wrong with the service now; none by default.

    `slow` and `refuse` and `poison` concern the OTLP paths, `down` everything but `/control`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    slow: float = Field(default=0.0, ge=0, le=3600)  # seconds before each answer
    down: Literal["", "close", "503"] = ""  # cut connections, or answer 503
    refuse: int | None = Field(default=None, ge=400, le=599)  # answer this status
    retry_after: int | None = None  # seconds, sent along with `refuse` and with "503"
    poison: str = ""  # answer 400 to bodies that contain this text, take the others

    @model_validator(mode="after")
    def _retry_after_what(self) -> Self:
        if self.retry_after is not None and self.refuse is None and self.down != "503":
            raise ValueError("retry_after goes with refuse, or with down=503")
        return self

    @property
    def status(self) -> int | None:
        """The status every OTLP request is answered with, or None."""
        return 503 if self.down == "503" else self.refuse

    @property
    def headers(self) -> dict[str, str]:
        """The headers that go with the status."""
        return {} if self.retry_after is None else {"retry-after": str(self.retry_after)}

    def poisoned(self, body: bytes) -> bool:
        """Tell whether a body is one that the service would never take."""
        return bool(self.poison) and self.poison.encode() in body

    async def delay(self) -> None:
        """Wait as long as a slow service would."""
        if self.slow:
            await asyncio.sleep(self.slow)


class CuttingProtocol(H11Protocol):
    """HTTP that cuts connections while `down` is "close", as a dead host does.

    An application cannot close a connection without an answer; its protocol can.
    """

    faults = Faults()
    spared = False  # the request that arrives now is one that is always answered

    def data_received(self, data: bytes) -> None:
        """Take data, or cut the connection; a request may arrive in several pieces."""
        self.spared = data.startswith(ALWAYS_UP) or (self.spared and not data.startswith(SERVICE))
        if CuttingProtocol.faults.down == "close" and not self.spared:
            self.transport.abort()
        else:
            super().data_received(data)
