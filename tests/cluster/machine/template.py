"""containerd's data with all images in it, made once for each set of them; nodes share it."""

import json
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from otelcol_runner.lifetime import Child, temporary_folder

from stack.errors import UserError
from stack.paths import cache_dir
from stack.tools.progress import Report
from tests.cluster.machine.containerd import CTR, containerd
from tests.cluster.machine.images import identity, provided
from tests.cluster.machine.namespaces import Namespaces

IMPORT_SECONDS = 900
DATABASES = "*/*.db"
BLOBS = "io.containerd.content.v1.content"
SNAPSHOTS = "io.containerd.snapshotter.v1.overlayfs/snapshots"
CONTENT = "images.json"  # reference and id of each image, written when all of them are there


def template(report: Report) -> Path:
    """Return the template, made anew or changed where an image is another. Raises `UserError`."""
    names = provided(report)
    wanted = {reference: identity(name) for reference, name in names.items()}
    place = cache_dir() / "cluster-images"
    if content(place) == wanted:
        return place
    scratch = temporary_folder("images-", cache_dir())
    try:
        if place.exists():
            copy(place, scratch / "root")
        update(scratch / "root", content(place), wanted, names, report)
        shutil.rmtree(place, ignore_errors=True)
        (scratch / "root").rename(place)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return place


def content(place: Path) -> dict[str, str]:
    """Return the images of a template; none where it is not whole."""
    try:
        found: dict[str, str] = json.loads((place / CONTENT).read_text())
    except (OSError, ValueError):
        return {}
    return found


def update(
    root: Path,
    have: Mapping[str, str],
    wanted: Mapping[str, str],
    names: Mapping[str, str],
    report: Report,
) -> None:
    """Import what is new into containerd's data at `root`, and drop what is not wanted any more."""
    root.mkdir(exist_ok=True)
    (root / CONTENT).unlink(missing_ok=True)
    new = sorted(reference for reference in wanted if have.get(reference) != wanted[reference])
    report(f"  importing {len(new)} images into containerd, once")
    with Namespaces("images", ("mount", "net", "pid", "ipc"), root.parent) as inside:
        inside.run("mount", "-t", "tmpfs", "tmpfs", "/run")
        with containerd(inside, root):
            transfer(inside, {names[reference] for reference in new})
            for reference in new:
                inside.run(
                    *CTR, "images", "tag", "--force", full(names[reference]), full(reference)
                )
            keep = {full(reference) for reference in wanted}
            listed = inside.run(*CTR, "images", "list", "--quiet").split()
            if stale := sorted(set(listed) - keep):
                inside.run(*CTR, "images", "remove", "--sync", *stale, timeout=300)
    (root / CONTENT).write_text(json.dumps(wanted))


def transfer(inside: Namespaces, images: Iterable[str]) -> None:
    """Stream images from the engine to containerd. Raises `UserError`."""
    saving = Child(["docker", "save", *sorted(images)], stdout=subprocess.PIPE)
    try:
        done = subprocess.run(
            inside.command(*CTR, "images", "import", "-"),
            stdin=saving.stdout,
            capture_output=True,
            text=True,
            timeout=IMPORT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise UserError(f"containerd imported images for more than {IMPORT_SECONDS} s") from None
    finally:
        saving.end(5)
        if saving.stdout:
            saving.stdout.close()
    if done.returncode:
        raise UserError(f"containerd could not import the images: {done.stderr.strip()[-1000:]}")


def full(reference: str) -> str:
    """Return an image's name as containerd knows it; a digest replaces the tag, as in kubelets."""
    name, _, digest = reference.partition("@")
    if digest:
        name = f"{name.rpartition(':')[0]}@{digest}"
    first, _, rest = name.partition("/")
    if not rest:
        return f"docker.io/library/{name}"
    return name if "." in first or ":" in first else f"docker.io/{name}"


def copy(place: Path, to: Path) -> None:
    """Copy containerd's data: hard links of files, which never change, and copies of databases."""
    command = ["cp", "--archive", "--link", str(place), str(to)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise UserError(f"the images cannot be copied to {to}: {done.stderr.strip()[-500:]}")
    for database in to.glob(DATABASES):
        database.unlink()
        shutil.copy2(place / database.relative_to(to), database)


def share(place: Path, inside: Namespaces, folder: Path, root: Path) -> None:
    """Give a node's containerd the images: its own databases, and the files to read.

    Args:
        place: the template.
        inside: the node.
        folder: containerd's data.
        root: the same folder's path in the node.
    """
    for database in place.glob(DATABASES):
        copied = folder / database.relative_to(place)
        copied.parent.mkdir(parents=True)
        shutil.copy2(database, copied)
    for part in (place / BLOBS, *(place / SNAPSHOTS).iterdir()):
        name = part.relative_to(place)
        (folder / name).mkdir(parents=True)
        inside.run("mount", "--bind", "-o", "ro", str(part), str(root / name))
