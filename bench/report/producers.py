"""The tables of telemetry's cost for a service."""

from bench.producers.measure import MAIN, PARTS, Result


def table(result: Result) -> str:
    """Return the result as Markdown."""
    ways = "FastAPI's own telemetry, spans only | the library, as in `app/telemetry.py`"
    lines = [
        f"| handler | measured | bare handler | {ways} | original strategy |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name in ("documents", "tasks"):
        for way, found in result[name].items():
            over = {variant: found[variant] - found["bare"] for variant in MAIN[1:]}
            cells = [f"+{us:.0f} us ({us / over['original']:.2f})" for us in over.values()]
            shown = " | ".join([f"{found['bare']:.0f} us", *cells])
            lines.append(f"| {name} | {way} | {shown} |")
    lines += ["", "| breakdown of ours (documents, in process) | us per request |", "| --- | --- |"]
    lines += [f"| {part} | {us:.0f} |" for part, us in result["rest"]["in process"].items()]
    lines += ["", "| breakdown of the original (documents) | over bare |", "| --- | --- |"]
    for way, found in result["documents"].items():
        lines += [f"| {part}, {way} | {found[part] - found['bare']:.0f} us |" for part in PARTS]
    return "\n".join(lines)
