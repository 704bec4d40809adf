"""Merges the overlays listed in OVERLAYS into one file, which the collector loads last.

Run it before each start: OVERLAYS=token,also-scrape python merge.py FILE

The collector's image has no shell that could turn the list into arguments. So a container that
runs before it writes FILE, in compose and in Kubernetes. OVERLAYS lists files of this folder
without `.yaml`, separated by commas or spaces; later ones take precedence. A profile of compose
(COMPOSE_PROFILES) adds the one of its name. Merging follows the collector's rules: maps are merged,
lists are replaced. The collector expands the variables. The output is JSON, a subset of YAML.

Exits with 1, and writes nothing, if a file does not exist (ENVIRONMENT, SAMPLING_WINDOW and ROUTE
too, where their folders are beside this one), or if a variable that it is given cannot work
(check_variables.py). Requires Python 3.11 and PyYAML.
"""

import json
import os
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from check_variables import complaint, missing

FOLDER = Path(__file__).parent
# Profiles of docker-compose.yml without an overlay of the same name.
ONLY_SERVICES = {"page"}
FORMER = ("OVERLAY", "DOORS", "BACKEND")
# By default SAMPLING_WINDOW is ENVIRONMENT, which is checked first.
FOLDERS = {"ENVIRONMENT": "environments", "SAMPLING_WINDOW": "window", "ROUTE": "routes"}


def main(arguments: list[str], variables: Mapping[str, str]) -> int:
    """Write the file and return the exit code."""
    if len(arguments) != 1:
        return refuse("pass the file to write: python merge.py FILE")
    if former := [name for name in FORMER if variables.get(name)]:
        return refuse(
            f"{former[0]} is not read any more: unset it and name its file in OVERLAYS, such as"
            " OVERLAYS=token,also-scrape"
        )
    asked = overlays(variables)
    names = list(asked)
    known = sorted(path.stem for path in FOLDER.glob("*.yaml"))
    if unknown := [name for name in names if name not in known]:
        return refuse(
            f"{asked[unknown[0]]} names {unknown[0]!r}, and there is no such file:"
            f" collector/overlays/ has {', '.join(known)}"
        )
    if wrong := unknown_file(variables) or complaint(variables) or missing(texts(names), variables):
        return refuse(wrong)
    text = json.dumps(merged(FOLDER / f"{name}.yaml" for name in names), indent=2)
    Path(arguments[0]).write_text(f"# Written by collector/overlays/merge.py\n{text}\n")
    sys.stdout.write(f"overlays: {', '.join(names) or 'none'}\n")
    return 0


def overlays(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variable that asks for it by the name of each overlay, in their order."""
    asked: dict[str, str] = {}
    for variable in ("OVERLAYS", "COMPOSE_PROFILES"):
        for name in re.split(r"[,\s]+", variables.get(variable, "")):
            if name and (variable == "OVERLAYS" or name not in ONLY_SERVICES):
                asked.setdefault(name, variable)
    return asked


def unknown_file(variables: Mapping[str, str]) -> str:
    """Return one sentence if a variable names no file, as far as its folder is here."""
    for name, folder in FOLDERS.items():
        known = sorted(path.stem for path in (FOLDER.parent / folder).glob("*.yaml"))
        if known and variables.get(name, known[0]) not in known:
            return (
                f"{name} names {variables[name]!r}, and there is no such file: collector/{folder}/"
                f" has {', '.join(known)}"
            )
    return ""


def texts(names: Iterable[str]) -> dict[str, str]:
    return {name: (FOLDER / f"{name}.yaml").read_text(encoding="utf-8") for name in names}


def refuse(sentence: str) -> int:
    """Print a sentence to stderr and return the exit code."""
    sys.stderr.write(f"overlays: {sentence}\n")
    return 1


def merged(paths: Iterable[Path]) -> dict[str, Any]:
    """Return the merged content of the files."""
    found: dict[str, Any] = {}
    for path in paths:
        merge(found, yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    return found


def merge(into: dict[str, Any], added: Mapping[str, Any]) -> None:
    """Merge a map into another: maps are merged, everything else is replaced."""
    for key, value in added.items():
        if isinstance(value, Mapping) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = value


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
