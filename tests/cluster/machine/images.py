"""The images of the cluster: which ones, and where each comes from.

They are pulled where a registry answers, or built as those of the container tests are. In the
cluster each has the name that manifests have for it, so that these run unchanged.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import yaml

from stack.errors import UserError
from stack.tools import toolchain
from stack.tools.progress import Report, status
from tests.cluster.addons import images as addons
from tests.cluster.machine.containerd import PAUSE_IMAGE
from tests.cluster.machine.programs import pause
from tests.containers import debian, images
from tests.containers.docker import docker, has_image, pull
from tests.kubernetes.rendering import OVERLAYS, objects

MANIFESTS = Path(__file__).parent.parent / "manifests"
PAUSE = """\
FROM scratch
COPY pause /pause
USER 65535:65535
ENTRYPOINT ["/pause"]
"""


def references() -> list[str]:
    """Return the name of every image in the manifests, as they have it."""
    found = {PAUSE_IMAGE, *addons.references()}
    for overlay in OVERLAYS:
        found.update(named(objects(overlay)))
    for file in sorted(MANIFESTS.rglob("*.yaml")):
        found.update(named(list(yaml.safe_load_all(file.read_text()))))
    return sorted(found)


def named(value: Any) -> Iterator[str]:
    """Return each image in a document."""
    if isinstance(value, dict):
        if isinstance(image := value.get("image"), str):
            yield image
        value = value.values()
    if not isinstance(value, str) and isinstance(value, Iterable):
        for each in value:
            yield from named(each)


def provided(report: Report) -> dict[str, str]:
    """Return the engine's image for each reference, pulled or built. Raises `UserError`."""
    found = {}
    with status(report) as show:
        for reference in references():
            show(f"image {reference.partition('@')[0]}")
            found[reference] = provide(reference)
    return found


def provide(reference: str) -> str:
    """Return the engine's image for a reference. Raises `UserError`."""
    repository = reference.partition("@")[0].rpartition(":")[0]
    if repository.startswith(("agentical-test/", "agentical/")):
        return OWN[repository]()
    if has_image(reference) or pull(reference):
        return reference
    if repository not in STAND_INS:
        raise UserError(f"the image {reference} cannot be pulled, and nothing stands in for it")
    return STAND_INS[repository]()


def identity(image: str) -> str:
    """Return the engine's id of an image, which is a hash of its content."""
    return docker("image", "inspect", "--format", "{{.Id}}", image).strip()


@cache
def pause_image() -> str:
    """Return the image that holds a pod's namespaces."""
    return images.built("pause", PAUSE, images.binary("pause", pause))


@cache
def kubernetes_collector() -> str:
    """Return the collector with the receivers of Kubernetes, as the upstream image has them."""
    content = images.binary("otelcol", toolchain.kubernetes_collector)
    recipe = (images.STAND_INS / "collector.Dockerfile").read_text()
    return images.built("kubernetes-collector", recipe, content)


@cache
def kubernetes_prometheus() -> str:
    """Return Prometheus with the discovery of pods, as the upstream image has it."""
    content = images.binary("prometheus", toolchain.kubernetes_prometheus)
    recipe = (images.STAND_INS / "prometheus.Dockerfile").read_text()
    return images.built("kubernetes-prometheus", recipe, content, {"DEBIAN": debian.image()})


def container_tests() -> dict[str, Callable[[], str]]:
    """Return what builds the images of the container tests, by their repository."""
    pinned = images.defaults()
    variables = [name for name in pinned if name.removesuffix("_IMAGE").lower() in images.CONTENT]
    variables.append("REDIS_IMAGE")
    return {
        pinned[name].partition("@")[0].rpartition(":")[0]: partial(images.stand_in, name)
        for name in variables
    }


OWN: dict[str, Callable[[], str]] = {
    "agentical/app": partial(images.own_image, "app"),
    "agentical/stand-in": partial(images.own_image, "stand-in"),
    "agentical-test/pause": pause_image,
}
STAND_INS: dict[str, Callable[[], str]] = {
    **container_tests(),
    "otel/opentelemetry-collector-contrib": kubernetes_collector,
    "prom/prometheus": kubernetes_prometheus,
    **addons.stand_ins(),
}
