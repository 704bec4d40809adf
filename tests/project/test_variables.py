"""docs/variables.md names every variable and every port, with its default."""

import re
from dataclasses import fields

import yaml

from app.settings import Settings
from stack.pipeline.ports import Ports
from tests.project.files import texts

PAGE = texts()["docs/variables.md"]
KAFKA = texts()["docs/kafka.md"]
ROW = r"^\| `([A-Z_]+)`(?:, `([A-Z_]+)`)? \| ([^|]*) \| [^|]*\|$"
PORT = re.compile(r"^\| (\d+) \| [^|]+ \| (?:`([A-Z_]+)`)? ?\| (?:`([A-Z_]+)`)? ?\|$", re.MULTILINE)
READERS = (".ci/", "Dockerfile", "app/", "collector/", "docker-compose.yml", "grafana/", "stack/")


def rows(page: str) -> dict[str, str]:
    """Return the cell with the default by the name of the variable."""
    found = {}
    for one, two, default in re.findall(ROW, page, re.MULTILINE):
        found[one] = default.strip("`")
        if two:
            found[two] = default.strip("`")
    return found


ON_PAGE = rows(PAGE)
IN_WORDS = {"IGNORED_PATHS", "REDACT_EMAIL_PATTERN", "STREAM_ROUTES"}  # match nothing
SAID = {**ON_PAGE, **rows(KAFKA)}


def of_the_collector() -> dict[str, set[str]]:
    """Return the defaults in the collector's files, of which a variable may have several."""
    found: dict[str, set[str]] = {}
    for path, text in texts().items():
        if path.startswith("collector/") and path.endswith(".yaml"):
            for name, default in re.findall(r"\$\{env:([A-Z_]+)(?::-([^}]*))?\}", text):
                found.setdefault(name, set()).add(default)
    return found


def test_each_variable_of_the_collector_is_on_the_page_with_its_default() -> None:
    read = of_the_collector()
    assert len(read) > 50
    for name, defaults in read.items():
        assert name in SAID, f"add a row for {name} to docs/variables.md"
        assert name in IN_WORDS or plain(SAID[name]) in defaults, f"{name} has {defaults}"


def plain(cell: str) -> str:
    """Return the default that a cell states."""
    return "" if cell == "none" else cell


def test_each_variable_of_the_guard_is_on_the_page_with_its_default() -> None:
    read = re.findall(r"\{\$([A-Z_]+)(?::([^}]*))?\}", texts()["collector/guard/Caddyfile"])
    assert len(set(read)) > 8
    for name, default in read:
        assert not default or ON_PAGE[name] == default, name
        assert name in ON_PAGE


def test_each_setting_of_the_service_is_on_the_page_with_its_default() -> None:
    for name, field in Settings.model_fields.items():
        default = "" if name.endswith("password") else str(field.default)
        assert plain(ON_PAGE[name.upper()]) == default, name


def test_each_variable_of_the_example_is_on_the_page() -> None:
    example = set(re.findall(r"^#([A-Z_]+)=", texts()[".env.example"], re.MULTILINE))
    compose = set(re.findall(r"\$\{([A-Z_]+)[:}]", texts()["docker-compose.yml"]))
    refused = {"OVERLAY", "DOORS", "BACKEND"}
    assert len(example) > 50
    missing = {name for name in example | compose - refused if f"`{name}`" not in PAGE}
    assert not missing, f"add these to docs/variables.md: {sorted(missing)}"


def test_each_variable_of_the_page_is_read_somewhere() -> None:
    code = "\n".join(text for path, text in texts().items() if path.startswith(READERS))
    settings = {name.upper() for name in Settings.model_fields}
    unread = [name for name in ON_PAGE if name not in settings and not read_in(code, name)]
    known = {"COMPOSE_PROFILES"}
    assert set(unread) <= known, "docs/variables.md has variables that nothing reads"


def read_in(code: str, name: str) -> bool:
    return bool(re.search(rf"\b{name}\b", code))


def test_the_ports_are_those_of_the_demo_and_of_compose() -> None:
    published = {
        int(port): name
        for name, port in re.findall(
            r'"127\.0\.0\.1:\$\{([A-Z_]+):-(\d+)\}:\d+"', texts()["docker-compose.yml"]
        )
    }
    services = yaml.safe_load(texts()["docker-compose.yml"])["services"].values()
    assert len(published) == sum(len(service.get("ports", ())) for service in services)
    expected = {
        part.default: (part.metadata["variable"], published.get(int(str(part.default)), ""))
        for part in fields(Ports)
        if part.default
    }
    expected |= {port: ("", name) for port, name in published.items() if port not in expected}
    shown = {int(port): (demo, compose) for port, demo, compose in PORT.findall(PAGE)}
    assert shown == expected
