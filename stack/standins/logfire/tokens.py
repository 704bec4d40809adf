"""The token check, for writing and reading."""

import hmac

from starlette.requests import Request


def accepts_token(request: Request, token: str) -> bool:
    """Return whether the Authorization header is the token, alone or after `Bearer`."""
    sent = request.headers.get("authorization", "")
    scheme, _, rest = sent.partition(" ")
    given = rest.strip() if scheme.lower() == "bearer" else sent
    return hmac.compare_digest(given.encode(), token.encode())
