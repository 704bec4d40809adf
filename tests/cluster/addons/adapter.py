"""The Prometheus adapter's configuration, from the values that the project ships for its chart."""

from typing import Any

import yaml

from stack.paths import ROOT

SHIPPED = ROOT / "deploy" / "kubernetes" / "prometheus-adapter.yaml"


def config_map() -> str:
    """Return the ConfigMap that the chart makes of them, and the URL that it passes as a flag."""
    values: dict[str, Any] = yaml.safe_load(SHIPPED.read_text())
    prometheus = values["prometheus"]
    # The chart renames `rules.external`; `default: false` leaves out its own rules.
    config = {"externalRules": values["rules"]["external"]}
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "prometheus-adapter", "namespace": "monitoring"},
            "data": {
                "config.yaml": yaml.safe_dump(config),
                "prometheus-url": f"{prometheus['url']}:{prometheus['port']}",
            },
        }
    )
