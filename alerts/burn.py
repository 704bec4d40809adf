"""The rules of the SLOs: recorded error ratios, the error budget, and burn-rate alerts.

Multi-window, multi-burn-rate, as in chapter 5 of the SRE workbook.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from string import Template

from alerts.model import Links
from alerts.rules import (
    SAMPLE_SECONDS,
    SAMPLES,
    Group,
    Rule,
    annotations,
    compressed,
    number,
    seconds,
    shortened,
)
from alerts.slos import Burn, Pair, Slo, Slos

RAW = "6h"  # the longest window over the raw series; longer windows sum up recorded ones
LEFT = (
    '{{ with printf "clamp_min(slo:error_budget_remaining:ratio{slo=%q,job=%q}, 0)"'
    " $labels.slo $labels.job | query }};"
    " {{ . | first | value | humanizePercentage }} of the $period error budget remains{{ end }}."
)


def groups(
    slos: Slos, links: Links, factor: float = 1.0, sample_seconds: float = SAMPLE_SECONDS
) -> list[Group]:
    """Return the groups of the rule file; the arguments are those of `alerts.rules.groups`."""
    maker = Maker(slos, links, factor, SAMPLES * sample_seconds)
    # One group per SLO, recording rules first: alerts then use values of the same evaluation.
    return [
        {
            "name": f"slo-{slo.slo}",
            "rules": [
                *maker.ratios(slo),
                *maker.budget(slo),
                *(maker.alert(slo, burn) for burn in slos.burns),
            ],
        }
        for slo in slos.slos
    ]


@dataclass(frozen=True)
class Maker:
    """Builds rules; `factor` divides windows and durations, down to `least` seconds."""

    slos: Slos
    links: Links
    factor: float
    least: float

    def time(self, window: str) -> str:
        """Return a window in PromQL's notation."""
        return compressed(window, self.factor, self.least)

    def seconds(self, window: str) -> float:
        """Return the length of a window in seconds."""
        return shortened(window, self.factor, self.least)

    def over(self, template: str, slo: Slo, window: str) -> str:
        """Return an SLO's query over a window."""
        return Template(" ".join(template.split())).substitute(limit(slo), window=self.time(window))

    def ratios(self, slo: Slo) -> Iterator[Rule]:
        """Yield the recorded error ratios of an SLO: no series where there was no request."""
        shortest, *others = self.windows()
        total = self.over(slo.total, slo, shortest)
        errors = self.over(slo.errors, slo, shortest)
        base = f"slo:sli_errors:rate{shortest}", f"slo:sli_events:rate{shortest}"
        yield {"record": base[0], "expr": f"({errors}) or 0 * {total}", "labels": {"slo": slo.slo}}
        yield {"record": base[1], "expr": total, "labels": {"slo": slo.slo}}
        for window in (shortest, *others):
            expr = self.raw(slo, window) if seconds(window) <= seconds(RAW) else ""
            yield {
                "record": f"slo:sli_error:ratio_rate{window}",
                "expr": expr or self.summed(slo, window, *base),
                "labels": {"slo": slo.slo},
            }

    def raw(self, slo: Slo, window: str) -> str:
        """Return the error ratio over a window."""
        errors, total = (self.over(query, slo, window) for query in (slo.errors, slo.total))
        return f"(({errors}) or 0 * {total}) / ({total} > 0)"

    def summed(self, slo: Slo, window: str, errors: str, total: str) -> str:
        """Return the error ratio over a long window, in which each request has the same weight."""
        sums = (
            f'sum_over_time({name}{{slo="{slo.slo}"}}[{self.time(window)}])'
            for name in (errors, total)
        )
        return "{} / ({} > 0)".format(*sums)

    def windows(self) -> list[str]:
        """Return every recorded window, shortest first."""
        pairs = [pair for burn in self.slos.burns for pair in burn.pairs]
        found = {self.slos.period, *(w for pair in pairs for w in (pair.long, pair.short))}
        return sorted(found, key=seconds)

    def budget(self, slo: Slo) -> Iterator[Rule]:
        """Yield the objective, the error budget, and what remains of it in the period."""
        left = f'1 - slo:sli_error:ratio_rate{self.slos.period}{{slo="{slo.slo}"}} / {slo.budget}'
        for record, expr in (
            ("slo:objective:ratio", f"vector({slo.objective})"),
            ("slo:error_budget:ratio", f"vector({slo.budget})"),
            ("slo:error_budget_remaining:ratio", left),
        ):
            yield {"record": record, "expr": expr, "labels": {"slo": slo.slo}}

    def alert(self, slo: Slo, burn: Burn) -> Rule:
        """Return the alert of one severity; its value is the error ratio."""
        return {
            "alert": slo.name,
            "expr": " or ".join(f"({self.burning(slo, pair)})" for pair in burn.pairs),
            "for": compressed(burn.for_, self.factor),
            "labels": {"severity": burn.severity, "pillar": "application"},
            "annotations": annotations(slo, self.links) | {"description": self.description(slo)},
        }

    def description(self, slo: Slo) -> str:
        """Return the annotation with the numbers."""
        may = number(round(slo.budget * 100, 8))
        text = "{{ $labels.job }}: {{ $value | humanizePercentage }}"
        text += f" {slo.fails} (at most {may}% allowed){LEFT}"
        return Template(text).safe_substitute(limit(slo), period=self.slos.period)

    def burning(self, slo: Slo, pair: Pair) -> str:
        """Return the condition of a pair of windows, with its floor of failures."""
        most = f"{number(pair.factor)} * {slo.budget}"
        long, short = (
            f'slo:sli_error:ratio_rate{window}{{slo="{slo.slo}"}} > {most}'
            for window in (pair.long, pair.short)
        )
        errors = self.over(slo.errors, slo, pair.short)
        failures = f"({errors}) * {number(self.seconds(pair.short))} >= {self.slos.failures}"
        return f"{long} and {short} and on (job) {failures}"


def limit(slo: Slo) -> dict[str, str]:
    """Return the value of `$limit`, for an SLO that has one."""
    return {} if slo.limit is None else {"limit": number(slo.limit)}
