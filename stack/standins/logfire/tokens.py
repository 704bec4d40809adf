"""The token check, the same for writing and reading."""

import hmac

from starlette.requests import Request


def accepts_token(request: Request, token: str) -> bool:
    """Tell whether the Authorization header carries the token, bare or after `Bearer`."""
    sent = request.headers.get("authorization", "")
    scheme, _, rest = sent.partition(" ")
    given = rest.strip() if scheme.lower() == "bearer" else sent
    return hmac.compare_digest(given.encode(), token.encode())
