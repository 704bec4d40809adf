"""Checks the variables of the collector by the rules that containers use as well."""

import runpy
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from stack.errors import UserError
from stack.paths import COLLECTOR
from stack.pipeline.configs import overlay
from stack.services.collector import config_file

# Not a package: containers run it without this project.
RULES: dict[str, Any] = runpy.run_path(str(COLLECTOR / "overlays" / "check_variables.py"))


def check_variables(
    variables: Mapping[str, str], overlays: Sequence[str | Path], given: Collection[str]
) -> None:
    """Raise `UserError` for a variable that cannot work, or that an overlay misses.

    `given` names the variables that the pipeline sets by itself.
    """
    texts = {str(name): config_file(overlay(name)).read_text() for name in overlays}
    unset = dict.fromkeys(RULES["required"](texts.values()) - set(given), "")
    if wrong := RULES["complaint"](variables) or RULES["missing"](texts, {**unset, **variables}):
        raise UserError(wrong)
