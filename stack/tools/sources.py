"""The files that the page is built from, without what editors and tools leave beside them."""

import os
import shutil
from fnmatch import fnmatch
from pathlib import Path

# The dashboards are read from the repository; the rest is not part of the page.
NOT_BUILT = {"dist", "generated", "node_modules", "tests"}
EDITORS = ("*~", "*.swp", "#*#")
NPM = ".npmrc"  # the one hidden file that counts


def files(root: Path) -> list[Path]:
    """Return all regular files that are built, sorted."""
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in NOT_BUILT and is_source(name)]
        found += [Path(folder, name) for name in names if is_source(name)]
    return sorted(path for path in found if path.is_file())


def copy(root: Path, to: Path) -> None:
    """Copy them into a folder."""
    for path in files(root):
        place = to / path.relative_to(root)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)


def is_source(name: str) -> bool:
    """Return whether a name is neither hidden nor an editor's."""
    hidden = name.startswith(".") and name != NPM
    return not hidden and not any(fnmatch(name, pattern) for pattern in EDITORS)
