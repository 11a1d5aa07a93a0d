"""`./pants run k8s:secrets`: prints the Secrets of overlays/production, with new random passwords, a new key and a new token."""

import argparse
import hashlib
import re
import secrets
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from sector.api.keyring import secret_key
from sector.api.settings import ApiSettings
from sector.api.token import sign_token

# The services that connect to Redis. Each has a Secret and a user in docker/users.acl, both with its own name.
_SERVICES = ("api", "viz", "worker")
# Users of Redis for people: `operator`, and `keeper` for backup.sh.
_PEOPLE = ("operator", "keeper")
_MAX_HOURS = 24 * 366 * 10
_AUDIENCE: str = ApiSettings.model_fields["auth_audience"].default


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the manifest; returns the exit code: 2 for an invalid argument or users.acl."""
    given = _parser().parse_args(arguments)
    if not {"{user}", "{password}"} <= set(re.findall(r"\{\w+\}", given.redis_url)):
        print("--redis-url must contain {user} and {password}, each once: every service has its own", file=sys.stderr)
        return 2
    if not 0 < given.hours <= _MAX_HOURS:
        print(f"--hours {given.hours:g}: must be above 0 and at most {_MAX_HOURS} (ten years)", file=sys.stderr)
        return 2
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,31}", given.bot):
        print(
            f"--bot {given.bot!r}: must be a letter, then letters, digits, _ and -, up to 32 characters",
            file=sys.stderr,
        )
        return 2
    try:
        users = given.users.read_text()
    except OSError as error:
        print(f"--users {given.users}: {error.strerror}; run this at the root of the repository", file=sys.stderr)
        return 2
    passwords = {user: secrets.token_urlsafe(32) for user in re.findall(r"^user (\w+) on >", users, re.MULTILINE)}
    if missing := set(_SERVICES) - set(passwords):
        print(
            f"--users {given.users}: the file has no user {', '.join(sorted(missing))} with a password", file=sys.stderr
        )
        return 2
    manifest = _manifest(given.namespace, dict(_secrets(given, users, passwords)))
    print(yaml.safe_dump_all(manifest, sort_keys=False, width=1000), end="")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./pants run k8s:secrets --",
        description="Prints the Secrets api, viz, worker and bot that overlays/production needs, with new passwords for Redis,"
        " a new AUTH_SECRET and a token for the bot. The Secret redis has a users.acl with the digests of these passwords, which"
        " your own Redis loads.",
        epilog="example: ./pants run k8s:secrets -- --redis-url 'redis+sentinel://{user}:{password}@s-0.example.org,s-1.example.org/master/0'"
        " | kubectl apply -f -",
    )
    parser.add_argument(
        "--redis-url",
        default="redis://{user}:{password}@redis:6379/0",
        metavar="URL",
        help="URL of Redis, with {user} and {password} (default: %(default)s)",
    )
    parser.add_argument("--bot", default="Bot", metavar="FACTION", help="faction of the bot (default: %(default)s)")
    parser.add_argument(
        "--hours",
        type=float,
        default=24.0 * 366,
        metavar="N",
        help="lifetime of the token of the bot in hours, up to 87840 (default: %(default)g)",
    )
    parser.add_argument(
        "--namespace", default="sector", metavar="NAME", help="namespace of the Secrets (default: %(default)s)"
    )
    parser.add_argument(
        "--users",
        type=Path,
        default=Path("docker/users.acl"),
        metavar="FILE",
        help="file with the users of Redis (default: %(default)s)",
    )
    return parser


def _secrets(given: argparse.Namespace, users: str, passwords: dict[str, str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield name and contents of each Secret."""
    key = secrets.token_urlsafe(48)
    for name in _SERVICES:
        contents = {"REDIS_URL": given.redis_url.replace("{user}", name).replace("{password}", passwords[name])}
        yield name, contents | ({"AUTH_SECRET": key} if name == "api" else {})
    token = sign_token(secret_key(key), _AUDIENCE, f"bot-{given.bot}", [given.bot], hours=given.hours)
    yield "bot", {"API_TOKEN": token, "BOT_FACTION": given.bot}
    digests = {user: hashlib.sha256(password.encode()).hexdigest() for user, password in passwords.items()}
    acl = re.sub(
        r"^user (\w+) on >\S+", lambda user: f"user {user[1]} on #{digests[user[1]]}", users, flags=re.MULTILINE
    )
    yield "redis", {"users.acl": acl} | {
        f"{user.upper()}_PASSWORD": passwords[user] for user in _PEOPLE if user in passwords
    }


def _manifest(namespace: str, contents: dict[str, dict[str, str]]) -> list[dict[str, object]]:
    return [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": name,
                "namespace": namespace,
                "labels": {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "sector"},
            },
            "stringData": data,
        }
        for name, data in contents.items()
    ]


if __name__ == "__main__":
    sys.exit(main())
