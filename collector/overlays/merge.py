"""Merges the overlays that OVERLAYS names into one file, which the collector loads last.

Run it before each start: OVERLAYS=token,also-scrape python merge.py FILE

The collector's image has no shell that could turn names into arguments. So a container that ends
before the collector starts writes FILE, in compose and in Kubernetes. A name is that of a file in
this folder, without its ending; several are separated by commas or spaces, and later ones win.
They are merged as the collector merges its files: maps join, lists are replaced. Variables stay as
they are, for the collector to fill in. What is written is JSON, which is YAML.

Exits with 1, and writes nothing, if there is no such file. Needs Python 3.11 and PyYAML.
"""

import json
import os
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent
FORMER = ("OVERLAY", "DOORS", "BACKEND")


def main(arguments: list[str], variables: Mapping[str, str]) -> int:
    """Write the file; returns the exit code."""
    if len(arguments) != 1:
        return refuse("give it one file to write: python merge.py FILE")
    if former := [name for name in FORMER if variables.get(name)]:
        return refuse(
            f"{former[0]} is not read any more: unset it and name its file in OVERLAYS, such as"
            " OVERLAYS=token,also-scrape"
        )
    named = variables.get("OVERLAYS", "")
    names = list(dict.fromkeys(filter(None, re.split(r"[,\s]+", named))))
    known = sorted(path.stem for path in FOLDER.glob("*.yaml"))
    if unknown := [name for name in names if name not in known]:
        return refuse(
            f"OVERLAYS names {unknown[0]!r}, and there is no such file: collector/overlays/ has"
            f" {', '.join(known)}"
        )
    text = json.dumps(merged(FOLDER / f"{name}.yaml" for name in names), indent=2)
    Path(arguments[0]).write_text(f"# Written by collector/overlays/merge.py\n{text}\n")
    sys.stdout.write(f"overlays: {', '.join(names) or 'none'}\n")
    return 0


def refuse(sentence: str) -> int:
    """Print a sentence on stderr and return the exit code."""
    sys.stderr.write(f"overlays: {sentence}\n")
    return 1


def merged(paths: Iterable[Path]) -> dict[str, Any]:
    """Return the files as one."""
    found: dict[str, Any] = {}
    for path in paths:
        merge(found, yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    return found


def merge(into: dict[str, Any], added: Mapping[str, Any]) -> None:
    """Add a file's map: maps join, everything else is replaced."""
    for key, value in added.items():
        if isinstance(value, Mapping) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = value


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
