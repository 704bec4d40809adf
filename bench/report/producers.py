"""The tables of telemetry's cost for a service."""

from bench.producers.measure import MAIN, PARTS, Result


def table(result: Result) -> str:
    """Return the result as Markdown."""
    lines = [
        "| handler | measured | bare | ours | original | ours - bare | original - bare | ratio |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name in ("documents", "tasks"):
        for way, found in result[name].items():
            bare, ours, original = (found[variant] for variant in MAIN)
            cells = [bare, ours, original, ours - bare, original - bare]
            shown = " | ".join(f"{cell:.0f} us" for cell in cells)
            lines.append(f"| {name} | {way} | {shown} | {found['ratio']:.2f} |")
    lines += ["", "| breakdown of ours (documents, in process) | us per request |", "| --- | --- |"]
    lines += [f"| {part} | {us:.0f} |" for part, us in result["rest"]["in process"].items()]
    lines += ["", "| breakdown of the original (documents) | over bare |", "| --- | --- |"]
    for way, found in result["documents"].items():
        lines += [f"| {part}, {way} | {found[part] - found['bare']:.0f} us |" for part in PARTS]
    return "\n".join(lines)
