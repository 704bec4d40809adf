"""The add-ons' images where no registry answers: built from the programs of `stack.tools`."""

import re
import shutil
import tempfile
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

from stack.tools import toolchain
from tests.containers.docker import build, digest, has_image

FOLDER = Path(__file__).parent
RECIPE = FOLDER / "Dockerfile"
IMAGE = re.compile(r"(?:image: |-config-reloader=)(\S+)")


def references() -> list[str]:
    """Return the images that the manifests name, one of them in an argument."""
    texts = [path.read_text() for path in FOLDER.glob("*.yaml")]
    return sorted({image for text in texts for image in IMAGE.findall(text)})


@cache
def built(target: str) -> str:
    """Build a target of the recipe, once for each content. Raises `UserError`."""
    programs = toolchain.cluster_programs()
    key = digest(RECIPE, text=str(sorted(programs.values())))  # a path has its content's hash
    tag = f"agentical-test/{target}:{key}"
    if not has_image(tag):
        with tempfile.TemporaryDirectory(prefix="agentical-image-") as folder:
            for name, program in programs.items():
                shutil.copy(program, Path(folder, name))
            build(Path(folder), RECIPE, tag, {}, target)
    return tag


def stand_ins() -> dict[str, Callable[[], str]]:
    """Return what builds each image, by its repository, whose last part is a target's name."""
    repositories = [reference.partition(":")[0] for reference in references()]
    return {name: partial(built, name.rpartition("/")[2]) for name in repositories}
