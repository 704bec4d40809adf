"""The corpus of secrets, assembled from parts so that no secret scanner finds one in this file."""

import base64
import random
import string
from dataclasses import dataclass

WORD = string.ascii_letters + string.digits
HEX = "0123456789abcdef"


@dataclass(frozen=True)
class Secret:
    """A text that contains a secret, and the part of it that no backend may receive.

    `in_key`: the same text as an attribute's key is dropped too.
    """

    name: str
    text: str
    needle: str
    in_key: bool = False


def made_up(length: int, seed: str, alphabet: str = WORD) -> str:
    """Return the same random characters for the same seed."""
    return "".join(random.Random(seed).choices(alphabet, k=length))


def token(
    name: str, prefix: str, length: int, alphabet: str = WORD, *, key: bool = False
) -> Secret:
    """Make a token that a vendor marks with a prefix."""
    body = made_up(length, name, alphabet)
    return Secret(name, prefix + body, body, in_key=key)


def around(name: str, text: str, needle: str = "", *, key: bool = False) -> Secret:
    """Make a secret that is recognised by its context: `{}` marks its place."""
    needle = needle or made_up(20, name)
    return Secret(name, text.format(needle), needle, in_key=key)


def jwt() -> Secret:
    """Make a JSON web token."""
    head, claims = (base64.urlsafe_b64encode(part).decode().strip("=") for part in (
        b'{"alg":"HS256","typ":"JWT"}', b'{"sub":"1234567890","name":"Jane"}',
    ))  # fmt: skip
    return Secret("JWT", f"{head}.{claims}.{made_up(43, 'jwt')}", claims, in_key=True)


def pem(kind: str, *, end: bool = True) -> Secret:
    """Make a private key in PEM."""
    body = "\n".join(made_up(64, f"{kind}{line}") for line in range(3))
    frame = "-" * 5
    tail = f"\n{frame}END {kind}{frame}" if end else ""
    return Secret(f"PEM {kind} {end}", f"{frame}BEGIN {kind}{frame}\n{body}{tail}", body[:64])


VENDORS = [
    jwt(),
    token("AWS access key", "AK" + "IA", 16, string.ascii_uppercase, key=True),
    token("AWS session key", "AS" + "IA", 16, string.ascii_uppercase, key=True),
    token("Google API key", "AI" + "za", 35, key=True),
    token("Google OAuth client", "GOC" + "SPX-", 28),
    token("Google access token", "ya" + "29.", 60),
    token("Azure client secret", "abc8" + "Q~", 34),
    token("GitHub personal", "gh" + "p_", 36, key=True),
    token("GitHub OAuth", "gh" + "o_", 36, key=True),
    token("GitHub server", "gh" + "s_", 36, key=True),
    token("GitHub fine-grained", "github" + "_pat_", 82, key=True),
    token("GitLab", "gl" + "pat-", 20, key=True),
    token("GitLab runner", "gl" + "rt-", 20),
    token("Slack bot", "xo" + "xb-123456789012-", 24, key=True),
    token("Slack user", "xo" + "xp-123456789012-", 32, key=True),
    token("Slack app", "xa" + "pp-1-", 40),
    token("Slack webhook", "https://hooks.slack" + ".com/services/T000/B000/", 24),
    token("Stripe secret", "sk_" + "live_", 24, key=True),
    token("Stripe restricted", "rk_" + "live_", 24, key=True),
    token("Stripe test", "sk_" + "test_", 24, key=True),
    token("OpenAI project", "sk-" + "proj-", 64, key=True),
    token("OpenAI legacy", f"sk-{made_up(20, 'o')}T3Blbk" + "FJ", 20),
    token("Anthropic", "sk-" + "ant-api03-", 93, key=True),
    token("OpenRouter", "sk-" + "or-v1-", 64, HEX),
    token("SendGrid", f"S{'G'}.{made_up(22, 's')}.", 43, key=True),
    token("Twilio", "S" + "K", 32, HEX),
    token("npm", "np" + "m_", 36, key=True),
    token("PyPI", "py" + "pi-AgEIcHlwaS5vcmc", 70, key=True),
    token("Pydantic Logfire", "py" + "lf_v1_us_", 43, key=True),
    token("Hugging Face", "h" + "f_", 34, key=True),
    token("Vault", "hv" + "s.", 40),
    token("DigitalOcean", "do" + "p_v1_", 64, HEX),
    token("Docker Hub", "dc" + "kr_pat_", 27),
    token("Telegram bot", "123456789" + ":AA", 33),
    pem("PRIVATE KEY"),
    pem("RSA PRIVATE KEY"),
    pem("OPENSSH PRIVATE KEY", end=False),
    pem("PGP PRIVATE KEY BLOCK"),
]
AROUND = [
    around("Bearer", "Authorization: Bearer {}"),
    around("bearer alone", "with bearer {} refused"),
    around("Basic", "Basic {}", base64.b64encode(b"jane:a-password-1").decode()),
    around("Authorization", "GET / HTTP/1.1\r\nauthorization: Digest {}"),
    around("Cookie", "Cookie: session={}; theme=dark"),
    around("Set-Cookie", "Set-Cookie: sid={}; HttpOnly"),
    around("headers as text", "{{'cookie': 'sid={}'}}"),
    around("URL userinfo", "postgresql://jane:{}@db.example/app", key=True),
    around("URL without user", "redis://:{}@cache:6379/0", key=True),
    around("DSN", "host=db user=jane password={} dbname=app", key=True),
    around("ADO string", "Server=db;User Id=jane;Password={};", key=True),
    around("ADO short", "Server=db;Uid=jane;Pwd={};", key=True),
    around("pwd", "login?user=jane&pwd={}", key=True),
    around("PASSWORD", "DB_PASSWORD={} started", key=True),
    around("JSON password", '{{"user": "jane", "password": "{}"}}'),
    around("JSON in JSON", '{{"body": "{{\\"password\\": \\"{}\\"}}"}}'),
    around("Passwort", "Passwort: {}"),
    around("SQL password", "ALTER USER jane PASSWORD '{}'"),
    around("SQL password, small", "create role jane login password '{}'"),
    around("client_secret", "grant_type=x&client_secret={}", key=True),
    around("AWS secret", "aws_secret_access_key = {}"),
    around("SECRET", "DJANGO_SECRET_KEY={}", key=True),
    around("access_token", "/callback?access_token={}&state=1", key=True),
    around("token in JSON", '{{"refresh_token": "{}"}}'),
    around("token in text", "session token: {} expired", made_up(20, "t") + "7abcdefgh"),
    around("encoded URL", "/go?to=%2Fx%3Ftoken%3D{}"),
    around("TOKEN", "CI_TOKEN={}", key=True),
    around("api_key", "/v1/search?api_key={}&q=x", key=True),
    around("X-Api-Key", "X-Api-Key: {}"),
    around("access key", "secret_access_key: {}"),
    around("Azure storage", "Name=a;AccountKey={};Suffix=x", made_up(86, "a") + "==", key=True),
    around("Service Bus", "SharedAccessKeyName=Root;SharedAccessKey={}", key=True),
    around("API_KEY", "SOME_API_KEY={}", key=True),
    around("Azure SAS", "https://x.example/c?sv=1&sig={}&se=2", made_up(43, "sas"), key=True),
    around("AWS signature", "/o?X-Amz-Signature={}", made_up(64, "sig", HEX), key=True),
    around("sk- alone", "{}", "sk" + "-" + made_up(40, "sk")),
]  # fmt: skip
CARDS = [
    around("Visa", "{}", "4111" + "1111" * 3),
    around("Visa in a text", "paid with {} today", "4012 8888 8888 1881"),
    around("Mastercard", "card={}", "5555-5555-5555-4444"),
    around("Mastercard 2", '{{"card":"{}"}}', "2223" + "003122003222"),
    around("Amex", "card:{}", "3782" + "82246310005"),
    around("Discover", "/cards/{}", "6011" + "111111111117"),
    around("JCB", "VALUES (1,{})", "3530" + "111333300000"),
    around("Diners", "INSERT INTO cards VALUES ('{}')", "3056" + "9309025904"),
    around("Visa as an argument", "pay({})", "4222" + "2222" * 3),
    around("Visa in a list", "[{}]", "4333" + "3333" * 3),
]
SECRETS = VENDORS + AROUND + CARDS
EMAIL = Secret("e-mail", "write to jane.doe@example.com today", "jane.doe")
EMAIL_PATTERN = r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}"
# Short and without a prefix: only the key identifies them.
PASSWORD = "hunter2" + "-by-key"
KEYS = [
    "http.request.header.authorization", "http.request.header.cookie", "db.password", "DB_PASSWORD",
    "http.response.header.set-cookie", "apiKey", "x-api-key", "clientSecret", "access_token",
    "Authorization", "passwd", "private_key", "API_KEY", "SESSION_SECRET", "GITHUB_TOKEN",
]  # fmt: skip
