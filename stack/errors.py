"""Errors a person can act on."""


class UserError(Exception):
    """One sentence: what is wrong and what to do. The command line prints it and exits with 1."""
