"""The changes that no test can notice, each with the reason. What is listed has to survive."""

import re
from typing import NamedTuple

from tests.alerts.mutants.mutant import Mutant


class Equivalent(NamedTuple):
    """Changes that make no difference: the rule, its changed query, and why it does not matter."""

    name: str
    expr: str
    reason: str


EQUIVALENT = (
    Equivalent(
        r"slo:sli_error:ratio_rate(5m|30m|1h|2h|6h)",
        r" or 0 \* sum by \(job\) \(rate\([^[]+\[(3000|18000|36000|72000|216000)s\]",
        "A longer window adds zeros for jobs that the division by the total drops again.",
    ),
    Equivalent(
        r"PostgresReplicationLagging",
        r" unless on \([^)]+\) count_over_time\(\w+\[6s\]",
        "A replica that reported within the minute is not 60 s behind by the time of its report.",
    ),
)


def reason(mutant: Mutant) -> str:
    """Return why a change makes no difference; an empty text if it may make one."""
    exprs = [rule["expr"] for rule in mutant.rules.values()]
    for each in EQUIVALENT:
        if re.fullmatch(each.name, mutant.name) and any(re.search(each.expr, e) for e in exprs):
            return each.reason
    return ""
