"""Texts with a secret after a name, and the same texts after masking: only the value changes.

Secrets are assembled from parts so that no secret scanner finds one in this file.
"""

import json
from collections.abc import Iterator

from tests.redaction.intact import encoded
from tests.redaction.secrets import HEX, made_up

PLACE = "~"  # of a secret in a template
WORD = "hunter2" + "-x9"
SPACED = "hunter2" + " x9"
LONG = made_up(32, "masked") + "7"
BEARER = f"Bearer {LONG}"
BASIC = f"Basic {made_up(22, 'basic')}=="
SESSION = f"sid={made_up(24, 'sid')}; theme=dark"
STORED = f"sid={made_up(24, 'stored')}; Path=/; HttpOnly"

NAMES = (
    "password", "passwd", "pwd", "passphrase", "secret", "client_secret", "clientSecret", "token",
    "access_token", "accessToken", "refresh-token", "refresh_token", "id_token", "auth_token",
    "session_token", "csrf_token", "xsrf_token", "X-CSRF-Token", "jwt", "api_key", "apiKey",
    "apikey", "X-API-Key", "private_key", "access_key", "secret_access_key", "authorization",
    "cookie", "set-cookie", "credential", "credentials", "mysql_pwd", "db_password", "userPassword",
    "DB_PASSWORD", "GITHUB_TOKEN", "AccountKey", "SharedAccessKey",
)  # fmt: skip
IN_QUERIES = (
    "token", "access_token", "refresh_token", "auth_token", "session_token", "csrf_token", "jwt",
    "password", "passwd", "pwd", "secret", "client_secret", "api_key", "apikey", "apiKey",
)  # fmt: skip
IN_ENVIRONMENTS = (
    "PASSWORD", "DB_PASSWORD", "PGPASSWORD", "MYSQL_PWD", "GITHUB_TOKEN", "CI_TOKEN", "API_KEY",
    "SOME_API_KEY", "CLIENT_SECRET", "SESSION_SECRET", "DJANGO_SECRET_KEY", "AWS_SECRET_ACCESS_KEY",
    "SSH_PASSPHRASE", "JWT_SECRET",
)  # fmt: skip
IN_FILES = (
    "password", "passphrase", "client_secret", "token", "api_key", "apiKey", "access_key",
    "secret_access_key", "auth_token", "mysql_pwd",
)  # fmt: skip
IN_HEADERS = ("X-API-Key", "x-api-key", "X-Auth-Token", "X-CSRF-Token", "X-XSRF-TOKEN")
IN_FLAGS = ("password", "token", "api-key", "client-secret", "access-token", "secret-access-key")


def pair(text: str, *secrets: str) -> tuple[str, str]:
    """Return a template with these secrets in their places, or one secret in all; and masked."""
    filled = text
    for secret in secrets or [WORD] * text.count(PLACE):
        filled = filled.replace(PLACE, secret, 1)
    return filled, text.replace(PLACE, "****")


def each(names: tuple[str, ...], *texts: str) -> Iterator[tuple[str, str]]:
    """Return pairs with each name in turn in place of NAME, each with the next of the texts."""
    for number, name in enumerate(names):
        yield pair(texts[number % len(texts)].replace("NAME", name))


def json_pairs() -> Iterator[tuple[str, str]]:
    yield from each(NAMES, '{"user": "jane", "NAME": "~", "n": 1}', '{"n":1,"NAME":"~"}')
    login = {"user": "jane", "password": PLACE, "n": 1}
    inner = {"headers": {"x-api-key": PLACE}, "items": [{"token": PLACE}]}
    for value in (login, inner):
        yield pair(json.dumps(value, indent=2))
        yield pair(encoded(value, 2))
        yield pair(encoded(value, 3))
    yield pair(json.dumps(inner))
    yield pair(json.dumps({"api_key": PLACE}, indent=4).replace("\n", "\r\n"))
    yield pair('{"password" : "~"}')
    yield pair('{"password":\t"~"}')
    yield pair('{"password":"~","token":"~","user":"jane"}', WORD, LONG)
    yield pair('{"password": "~", "n": 1}', r"a\"b-x9")
    yield pair('{"password": "~", "n": 1}', r"hunter2\\")
    yield pair('{"password": "~", "n": 1}', r"hunter2\n\u0041")
    yield pair('{"password": "~", "n": 1}', "hunter2, x9}&;:=[y]")
    yield pair('{"password": "~", "n": 1}', "it's-x9")
    yield pair('{"password": "~", "n": 1}', "pässwörd-9-🔑")
    yield pair('{"password": "~", "n": 1}', "12345678")
    yield pair(encoded({"password": PLACE, "n": 1}, 2), r"a\\\"b-x9")
    yield pair('{"credit_card": "~", "n": 1}', "4012-8888-" + "8888-1881")
    # A list loses its values, and how many there were.
    yield '{"api_key": ["a1-x9","b2-x9"]}', '{"api_key": ["****"]}'
    yield (
        '{"tokens": {"refresh_token": ["a", "b", "c"]}}',
        '{"tokens": {"refresh_token": ["****"]}}',
    )
    yield pair('{"set-cookie": ["~"], "n": 1}', STORED)
    yield pair('{"secret": {"name": "db", "password": "~"}}')
    yield pair('{"headers": {"authorization": "~", "accept": "*/*"}}', BEARER)
    yield pair(encoded({"authorization": PLACE, "cookie": PLACE}, 2), BASIC, SESSION)
    yield pair('login failed: {"user":"jane","password":"~"} (401)')
    # Cut off by a limit on the length of attributes.
    yield pair('{"user": "jane", "password": "~')
    yield pair(r'{"body": "{\"user\": \"jane\", \"password\": \"~')


def program_pairs() -> Iterator[tuple[str, str]]:
    """Return what programs print: of Python, JavaScript, Go, Java, Rust, Ruby, PHP."""
    yield from each(IN_FILES, "{'user': 'jane', 'NAME': '~', 'n': 1}", "{'NAME': '~'}")
    yield pair("{'password': \"~\", 'n': 1}", "it's-x9")
    yield pair("{'password': '~', 'n': 1}", r"it\'s-x9")
    yield "{'api_key': ['a1-x9', 'b2-x9'], 'n': 1}", "{'api_key': ['****'], 'n': 1}"
    yield pair("{'headers': {'Authorization': '~', 'Accept': '*/*'}}", BEARER)
    yield pair("Headers({'host': 'x', 'cookie': '~'})", SESSION)
    yield pair("User(name='jane', password='~')")
    yield pair("User(password='~', name='jane')")
    yield pair("password='~'", SPACED)
    yield pair("connect(user='jane', password='~', port=5432)", SPACED)
    yield pair("Settings(api_key='~', client_secret='~', debug=True)", LONG, WORD)
    yield pair("['psql', '--password', '~', 'app']")
    yield pair("{user: 'jane', password: '~', n: 1}")
    yield pair('mutation { login(user: "jane", password: "~") { id } }')
    yield pair("{Name:jane Password:~ Age:3}")
    yield pair("&{User:jane Token:~}")
    yield pair("map[password:~ user:jane]")
    yield pair("map[Accept:[*/*] Authorization:[~]]", BEARER)
    yield pair('main.Config{User:"jane", Password:"~", Port:5432}')
    yield pair("User[password=~, name=jane]")
    yield pair("User(name=jane, password=~)")
    yield pair("{password=~, user=jane}")
    yield pair('Config { user: "jane", password: "~", port: 5432 }')
    yield pair('Parameters: {"user"=>"jane", "password"=>"~"}')
    yield pair("['user' => 'jane', 'api_key' => '~']")


def web_pairs() -> Iterator[tuple[str, str]]:
    yield from each(IN_QUERIES, "https://x/y?NAME=~&x=1", "/y?x=1&NAME=~", "a=b&NAME=~&c=d")
    yield pair("/callback?access_token=~&state=1", LONG)
    yield pair("/callback#access_token=~&token_type=bearer", LONG)
    yield pair('"GET /v1/search?api_key=~ HTTP/1.1" 200 12')
    yield pair("GET /x?token=~&x=1 HTTP/1.1")
    yield pair("/go?to=%2Fx%3Ftoken%3D~%26x%3D1")
    yield pair("/go?to=%2Fx%3Fn%3D1%26password%3D~", LONG)
    yield pair("username=jane&password=~&grant_type=password")
    yield pair("password=~&n=1", "hunter2%20x9%21")
    yield pair("/x;token=~;v=1/y")
    yield pair('{"url": "https://x/y?token=~", "n": 1}')
    yield from each(IN_HEADERS, "NAME: ~")
    yield pair("Authorization: ~", BEARER)
    yield pair("authorization: ~", BASIC)
    yield pair("Authorization: ~", 'Digest username="jane", response="' + LONG + '"')
    yield pair("Authorization: ~\nAccept: */*\n", f"ApiKey {LONG}")
    yield pair("Proxy-Authorization: ~", BASIC)
    yield pair("Cookie: ~", SESSION)
    yield pair("cookie: ~\naccept: */*", SESSION)
    yield pair("Set-Cookie: ~", STORED)
    yield pair("with bearer ~ refused", LONG)
    request = "POST / HTTP/1.1\r\nHost: x\r\n{}\r\nAccept: */*\r\n\r\n"
    for line, secret in (
        ("Authorization: ~", BEARER),
        ("Cookie: ~", SESSION),
        ("X-API-Key: ~", LONG),
    ):
        yield pair(request.format(line), secret)
    yield pair(f"{request.format('Authorization: ~')}password=~&n=1", BASIC, WORD)
    yield pair("HTTP/1.1 200 OK\r\nSet-Cookie: ~\r\nSet-Cookie: ~\r\n\r\n", STORED, STORED)


def shell_pairs() -> Iterator[tuple[str, str]]:
    yield from each(
        IN_FLAGS,
        "x --NAME ~",
        "x --NAME=~ y",
        'x --NAME "~" --port 80',
        "x --NAME='~' --port 80",
    )
    yield pair('x --password "~" y', SPACED)
    yield pair("x --password=~ --token=~", WORD, LONG)
    yield pair("curl -u jane:~ https://x")
    yield pair("curl -u 'jane:~' https://x")
    yield pair("curl --user jane:~ https://x")
    yield pair("curl -H 'X-API-Key: ~' -H \"Authorization: ~\" https://x", LONG, BEARER)
    yield pair('curl --header "Cookie: ~" https://x', SESSION)
    yield pair("curl -d 'user=jane&password=~' https://x")
    yield pair('curl -d \'{"user":"jane","password":"~"}\' https://x')
    yield from each(IN_ENVIRONMENTS, "NAME=~", "NAME=~ started", 'export NAME="~"', "NAME='~' x")
    yield pair("DB_HOST=db\nDB_PASSWORD=~\nGITHUB_TOKEN=~\nDEBUG=1\n", WORD, LONG)
    yield pair('DB_USER="jane"\nDB_PASSWORD="~"\nDEBUG=1', SPACED)


def file_pairs() -> Iterator[tuple[str, str]]:
    yield from each(IN_FILES, "NAME: ~", "user: jane\nNAME: ~\n", 'NAME: "~"\n', "NAME: '~'")
    yield pair("db:\n  user: jane\n  password: ~\n  port: 5432\n")
    yield pair('db:\n  - token: "~"\n  - name: b\n', SPACED)
    yield pair("{user: jane, password: ~}")
    yield from each(IN_FILES[:4], 'NAME = "~"', "[db]\nNAME = ~\nuser = jane\n")
    yield pair("aws_secret_access_key = ~\nregion = eu-central-1", LONG)
    yield pair("spring.datasource.password=~\nspring.datasource.username=jane")
    yield pair("db.password: ~")
    yield pair("<password>~</password>")
    yield pair("<user><name>jane</name><clientSecret>~</clientSecret></user>")
    yield pair("<ns:token>~</ns:token>", LONG)
    yield pair('<user password="~" name="jane"/>')
    yield from each(IN_FILES[:6], "user=jane NAME=~ level=info", 'NAME="~" level=info')
    yield pair('user=jane authorization="~" level=info', BEARER)
    yield pair('{password="~"}')
    yield pair('logins_total{user="jane",password="~",code="200"} 3')
    yield pair("Passwort: ~")
    yield pair("Password: ~")
    yield pair("session token: ~ expired", LONG)


def connection_pairs() -> Iterator[tuple[str, str]]:
    yield pair("host=db user=jane password=~ dbname=app")
    yield pair("host=db password='~' dbname=app", SPACED)
    yield pair("Server=db;User Id=jane;Password=~;")
    yield pair("Server=db;Uid=jane;Pwd=~;Encrypt=yes")
    yield pair("jdbc:postgresql://db/app?user=jane&password=~")
    yield pair("jdbc:sqlserver://db:1433;user=jane;password=~;encrypt=true")
    yield pair("postgresql://jane:~@db/app")
    yield pair("postgresql+asyncpg://jane:~@db.example:5432/app?sslmode=require")
    yield pair("mongodb+srv://jane:~@cluster.example/app")
    yield pair("redis://:~@cache:6379/0")
    yield pair("amqp://guest:~@broker:5672/")
    yield pair("https://jane:~@registry.example:443/left-pad")
    yield pair("cannot reach postgresql://jane:~@db/app: timed out")
    yield pair("from redis://:~@a:6379/0 to redis://:~@b:6379/0", WORD, LONG)
    yield pair('{"url": "postgresql://jane:~@db/app", "n": 1}')
    yield pair("DATABASE_URL=postgresql://jane:~@db/app")
    key = made_up(86, "account") + "=="
    yield pair("AccountName=a;AccountKey=~;EndpointSuffix=x", key)
    yield pair("Endpoint=sb://x/;SharedAccessKeyName=Root;SharedAccessKey=~", key[-44:])
    yield pair("https://x.example/c?sv=1&sig=~&se=2", made_up(43, "sas") + "%3D")
    yield pair("https://x.example/o?X-Amz-Expires=60&X-Amz-Signature=~", made_up(64, "aws", HEX))
    yield pair("/o?X-Goog-Signature=~&n=1", made_up(64, "goog", HEX))
    yield pair("ALTER USER jane PASSWORD '~'")
    yield pair("ALTER ROLE jane WITH LOGIN PASSWORD '~' VALID UNTIL 'infinity'")
    yield pair("create role jane login password '~'")
    yield pair("CREATE USER jane IDENTIFIED BY '~'")
    yield pair("CREATE USER 'jane'@'%' IDENTIFIED WITH mysql_native_password BY '~'")
    yield pair("CREATE LOGIN jane WITH PASSWORD = '~', CHECK_POLICY = ON")
    yield pair("SET PASSWORD = '~'")
    yield pair("UPDATE users SET password = '~', logins = 0 WHERE id = 7")
    yield pair("UPDATE users SET password='~' WHERE id = 7", "it''s-x9")
    yield pair("SELECT id FROM sessions WHERE token = '~'", "abc-123")
    yield pair('SELECT id FROM "sessions" WHERE "token" = \'~\' LIMIT 1', LONG)


def card_pairs() -> Iterator[tuple[str, str]]:
    visa, amex = "4111" + "1111" * 3, "3782" + "82246310005"
    yield pair("~", visa)
    yield pair('{"card":"~"}', visa)
    yield f'{{"card":{visa},"n":1}}', '{"card":"****","n":1}'
    yield pair("paid with ~ today", "4012 8888 " + "8888 1881")
    yield pair("card=~", "5555-5555-" + "5555-4444")
    yield pair("pay(~)", "4222" + "2222" * 3)
    yield f"[{visa}]", '["****"]'
    yield pair("/cards/~", "6011" + "111111111117")
    yield pair("/cards/~/limit", "2223" + "003122003222")
    yield pair("INSERT INTO cards VALUES (1,'~')", "3530" + "111333300000")
    yield pair("card:~", amex)
    yield pair("charged ~.", "3782 822463 " + "10005")
    yield pair("first line\n~\nlast line", visa)


MASKED: tuple[tuple[str, str], ...] = (
    *json_pairs(),
    *program_pairs(),
    *web_pairs(),
    *shell_pairs(),
    *file_pairs(),
    *connection_pairs(),
    *card_pairs(),
)
