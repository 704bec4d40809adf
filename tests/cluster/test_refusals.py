"""The API server's own record: it refused nothing that our service accounts asked for."""

import json
from collections import Counter
from pathlib import Path

from tests.cluster.overlays import Overlay, applied

OURS = "system:serviceaccount:agentical:"


@applied("local", "production")
def test_nothing_that_our_accounts_asked_for_was_refused(overlay: Overlay) -> None:
    log = overlay.cluster.audit_log
    if log is None:
        said = "the audit log: this cluster existed before"
        overlay.cluster.unseen += [] if said in overlay.cluster.unseen else [said]
        return
    asked = answers(log)
    assert {who for who, _, _ in asked} >= {"agent", "cluster"}
    assert {key: times for key, times in asked.items() if key[2] >= 400} == {}


def answers(log: Path) -> Counter[tuple[str, str, int]]:
    """Count the answers to our accounts, by account, request and status."""
    found: Counter[tuple[str, str, int]] = Counter()
    for line in log.read_text().splitlines():
        event = json.loads(line)
        # What an administrator asks in an account's name is a test's own question.
        if "impersonatedUser" in event or not event["user"]["username"].startswith(OURS):
            continue
        account = event["user"]["username"].removeprefix(OURS)
        status = event.get("responseStatus", {}).get("code", 0)
        found[account, f"{event['verb']} {event['requestURI'].split('?')[0]}", status] += 1
    return found
