"""The overlays are accepted as they are, and applying them again changes nothing."""

from tests.cluster.kubectl import NAMESPACE
from tests.cluster.overlays import Overlay, applied, identity
from tests.cluster.readiness import KINDS

pytestmark = applied("local", "production")


def test_every_object_is_accepted(overlay: Overlay) -> None:
    lines = overlay.said.splitlines()
    accepted = [line for line in lines if line.endswith(" serverside-applied")]
    assert len(accepted) == len(lines) == len({identity(item) for item in overlay.objects})


def test_applying_again_changes_nothing(overlay: Overlay) -> None:
    def generations() -> dict[str, int]:
        items = overlay.kubectl.json("get", KINDS, f"--namespace={NAMESPACE}")["items"]
        return {
            f"{item['kind']}/{item['metadata']['name']}": item["metadata"].get("generation", 0)
            for item in items
        }

    before = generations()
    assert overlay.kubectl.run("diff", "--server-side", "--kustomize", str(overlay.folder)) == ""
    overlay.kubectl.apply_overlay(str(overlay.folder))
    assert generations() == before
