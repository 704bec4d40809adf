"""Lets the project be installed in its checkout only: as a package it would lack its files."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CheckoutOnly(BuildHookInterface[Any]):
    """Refuses every build but the editable one, which makes the `agentical` command."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Stop a build that would leave the checkout."""
        if version != "editable":
            raise SystemExit(
                "agentical runs from its checkout and is not built as a package: clone the "
                "repository and run `make setup`"
            )
