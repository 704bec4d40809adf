"""Errors a person can act on."""

import re


class UserError(Exception):
    """One sentence: what is wrong and what to do. The command line prints it and exits with 1."""

    def __str__(self) -> str:
        return without_passwords(super().__str__())


def without_passwords(text: str) -> str:
    """Mask user and password in the URLs of a text: what is printed gets copied into tickets."""
    return re.sub(r"://[^\s/@]+@", "://***@", text)
