"""Reports variables of the sampling that have no effect."""

from collections.abc import Callable, Mapping

from stack.pipeline.variables import RULES


def check_sampling(
    variables: Mapping[str, str], environment: str, report: Callable[[str], None]
) -> None:
    """Report each variable that `development`, which keeps everything, does not read."""
    for name in RULES["SAMPLING"]:
        if name in variables and environment == "development":
            report(f"{name} has no effect: development keeps everything (ENVIRONMENT=production)")
