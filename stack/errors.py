"""Errors that the user can act on."""

import re


class UserError(Exception):
    """One sentence: what failed and what to do. The command line prints it and exits with 1."""

    def __str__(self) -> str:
        return without_passwords(super().__str__())


def without_passwords(text: str) -> str:
    """Mask user and password in URLs: output gets copied into tickets."""
    return re.sub(r"://[^\s\"']*@", "://***@", text)  # to the last @: a password may contain one
