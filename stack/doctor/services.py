"""What the doctor knows about all services, or about the one that was asked for."""

from dataclasses import dataclass
from typing import Any

from stack.doctor.backends import Backends
from stack.doctor.producers import Producer, producers, routes
from stack.doctor.silent import CAUSES
from stack.errors import without_passwords


@dataclass(frozen=True)
class Services:
    """The services of the last minutes.

    Args:
        known: all of them.
        problems: why a backend could not be asked.
        asked: the service that was asked for, or "".
        meant: those of `known` with its name.
        routes: the requests of each of these.
    """

    known: list[Producer]
    problems: list[str]
    asked: str
    meant: list[Producer]
    routes: dict[str, list[dict[str, Any]]]

    @property
    def silent(self) -> bool:
        """Whether nothing is known of the service that was asked for."""
        return bool(self.asked) and not self.meant

    def as_json(self) -> dict[str, Any]:
        body: dict[str, Any] = {
            "services": [one.as_json() for one in (self.meant if self.asked else self.known)],
            "services_problems": self.problems,
        }
        if self.asked:
            body["routes"] = self.routes
        if self.silent and not self.problems:
            body["likely_causes"] = list(CAUSES)
        return body


def look(backends: Backends, asked: str) -> Services:
    """Ask both backends."""
    known = producers(backends)
    meant = [one for one in known if asked and named(one, asked)]
    requests = {one.name: routes(backends, one.name) for one in meant}
    problems = [without_passwords(problem) for problem in backends.problems]
    return Services(known, problems, asked, meant, requests)


def named(one: Producer, name: str) -> bool:
    """Return whether a service has this name, in any namespace or the one that it begins with."""
    return one.name == name or one.name.endswith(f"/{name}")
