"""Every generated file: its maker and its source."""

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from stack.paths import COLLECTOR

MEASUREMENTS = "docs/measurements"


@dataclass(frozen=True)
class Maker:
    """The maker of some of the generated files.

    Attributes:
        module: its `files()` returns their texts by path.
        source: the files that it reads, as named in the head of each file.
        makes: the folder or the files that it fills, from the repository's root.
        measured: the command that measures its figures, if it has any.
    """

    module: str
    source: str
    makes: str
    measured: str = ""

    def files(self) -> dict[Path, str]:
        """Return the files with their texts; raises `UserError` when its source is incomplete."""
        made: dict[Path, str] = import_module(self.module).files()
        return made


MAKERS = (
    Maker("alerts.generate", "alerts/", "prometheus/rules/generated/"),
    Maker("alerts.kubernetes", "prometheus/rules/", "deploy/kubernetes/base/generated/"),
    Maker("alerts.boards", "logfire/dashboards.yaml", "logfire/generated/"),
    Maker("grafana.generate", "grafana/boards/", "grafana/generated/"),
    Maker("grafana.perses", "grafana/boards/", "view/generated/"),
    Maker("generate.scrub", "collector/secrets/", "collector/scrub.yaml"),
    Maker("generate.secrets", "collector/secrets/", "docs/generated/secrets.md"),
    Maker("generate.table", "generate/makers.py", "docs/generated/README.md"),
    Maker("alerts.page", "alerts/", "docs/generated/alerts.md"),
    *(
        Maker(module, f"{MEASUREMENTS}/{figures}.json", f"docs/generated/{page}", command)
        for module, figures, page, command in (
            ("bench.report.performance", "performance", "performance.*", "make bench"),
            ("bench.report.capacity", "performance", "capacity.md", "make bench"),
            ("bench.report.redaction", "redaction", "redaction-cost.md", "make redaction"),
            ("tests.faults.support.table", "faults", "faults.md", "make faults"),
            ("tests.kubernetes.scale_page", "scale", "scale.md", "make scale"),
            ("tests.producers.page", "producers", "producers.md", "make producers"),
            ("tests.guard.answers", "backend-answers", "backend-answers.md", "make answers"),
            ("tests.long_term.page", "long-term", "long-term.md", "make stores"),
        )
    ),
)


def files() -> dict[Path, str]:
    """Return every generated file with its text."""
    return {path: text for maker in MAKERS for path, text in maker.files().items()}


def stale(made: dict[Path, str]) -> list[Path]:
    """Return the files in the folders of generated files that no maker makes."""
    mixed = {COLLECTOR}  # generated and written files
    folders = {path.parent for path in made} - mixed
    return sorted(path for folder in folders for path in folder.iterdir() if path not in made)
