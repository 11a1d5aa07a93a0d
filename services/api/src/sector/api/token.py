"""`sector-api token`: makes a token, signed with AUTH_SECRET or a key of AUTH_JWKS."""

import argparse
import sys
import time
from collections.abc import Sequence

import jwt

from sector.api.authentication import ALL, is_subject
from sector.api.jwks import Key
from sector.api.settings import ApiSettings
from sector.process import load

_HOUR_S = 3600


def main(arguments: Sequence[str]) -> int:
    """Print a token; returns the exit code: 2 where there is no key to sign it with."""
    parser = argparse.ArgumentParser(
        prog="sector-api token",
        description="Prints a token that lets its bearer order for a faction. It is signed with AUTH_SECRET, or with the first key"
        " in the file AUTH_JWKS that can sign; the API must know that key.",
        epilog='example: curl -H "Authorization: Bearer $(sector-api token --faction Aurora)" ...',
    )
    parser.add_argument("--faction", action="append", default=[], metavar="NAME", help="a faction it is for; * for all")
    parser.add_argument("--sim", action="append", default=[], metavar="ID", help="a sim it is for (default: all)")
    parser.add_argument(
        "--admin", action="store_true", help="for everything: any faction, free of rules; new sims, forks"
    )
    parser.add_argument("--subject", metavar="NAME", help="who it is (default: the faction, or admin)")
    parser.add_argument(
        "--hours", type=float, default=24.0, metavar="N", help="how long it is good (default: %(default)s)"
    )
    given = parser.parse_args(arguments)
    if not (given.faction or given.admin):
        parser.error("say for whom: --faction NAME or --admin")
    if not 0 < given.hours <= 24 * 366 * 10:
        parser.error("--hours must be above 0, ten years at most")
    subject = given.subject or ("admin" if given.admin else given.faction[0])
    if not is_subject(subject):
        parser.error("--subject must have 1 to 128 characters, none of them a control character")
    sys.argv[1:] = []
    settings = load(ApiSettings, about="")
    ring = settings.key_ring
    key = ring.signing if ring is not None else None
    if key is None:
        print(
            "no key to sign with: set AUTH_SECRET, or AUTH_JWKS to a file with a secret or private key", file=sys.stderr
        )
        return 2
    print(make(key, settings.auth_audience, subject, given.faction, given.sim, admin=given.admin, hours=given.hours))
    return 0


def make(
    key: Key,
    audience: str,
    subject: str,
    factions: Sequence[str] = (),
    sims: Sequence[str] = (),
    *,
    admin: bool = False,
    hours: float = 24.0,
) -> str:
    """Return a token for `factions` in `sims` (none named: all)."""
    now = time.time()
    claims = {
        "sub": subject,
        "aud": audience,
        "iat": int(now),
        "exp": int(now + hours * _HOUR_S),
        "sim": list(sims) or ALL,
        "faction": list(factions),
        "scope": "admin" if admin else "player",
    }
    return jwt.encode(claims, key.jwk.key, key.algorithm, headers={"kid": key.id} if key.id else None)
