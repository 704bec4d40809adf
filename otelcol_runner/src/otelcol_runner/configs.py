"""Facts about configuration files that are loaded together, read from the raw YAML.

The collector merges maps, replaces lists, and takes a null for "remove what earlier files said":
two traps that no validation finds.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml


def read(path: Path) -> dict[str, Any]:
    """Return a file's YAML; a file of comments alone is an empty mapping."""
    return yaml.safe_load(path.read_text(encoding="utf-8")) or {}


def list_owners(paths: Sequence[Path]) -> dict[str, list[Path]]:
    """Return, for each list by its dotted path, the files that write it."""
    owners: dict[str, list[Path]] = {}
    for path in paths:
        for key, value in _values(read(path)):
            if isinstance(value, list):
                owners.setdefault(key, []).append(path)
    return owners


def shared_lists(paths: Sequence[Path]) -> dict[str, list[Path]]:
    """Return the lists that more than one of the files write: the last one wins silently."""
    return {key: files for key, files in list_owners(paths).items() if len(files) > 1}


def null_values(path: Path) -> list[str]:
    """Return the dotted paths of a file's keys without a value."""
    return [key for key, value in _values(read(path)) if value is None]


def merged(paths: Sequence[Path]) -> dict[str, Any]:
    """Return the files merged as the collector merges them, variables not yet expanded."""
    result: dict[str, Any] = {}
    for path in paths:
        _merge(result, read(path))
    return result


def _merge(into: dict[str, Any], added: Mapping[str, Any]) -> None:
    for key, value in added.items():
        if isinstance(value, Mapping) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value


def _values(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, value in tree.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from _values(value, f"{path}.")
        else:
            yield path, value
