"""`sector-api token`: prints a token, signed with AUTH_SECRET or a key of AUTH_JWKS."""

import argparse
import sys
import time
from collections.abc import Sequence

import jwt

from sector.api.authentication import ALL, is_subject
from sector.api.jwks import Key
from sector.api.settings import ApiSettings
from sector.models.deprecated_names import deprecated_names
from sector.process import load

_HOUR_S = 3600


def main(arguments: Sequence[str]) -> int:
    """Print a token; returns the exit code, 2 if there is no key that can sign it."""
    parser = argparse.ArgumentParser(
        prog="sector-api token",
        description="Prints a token that allows its bearer to submit orders of a faction. It is signed with AUTH_SECRET, or with the first"
        " key in the file AUTH_JWKS that can sign; the API must have that key.",
        epilog='example: curl -H "Authorization: Bearer $(sector-api token --faction Aurora)" ...',
    )
    parser.add_argument(
        "--faction",
        action="append",
        default=[],
        metavar="NAME",
        help="faction of the token, can be repeated; * for all (required without --admin)",
    )
    parser.add_argument(
        "--sim", action="append", default=[], metavar="ID", help="sim of the token, can be repeated (default: all)"
    )
    parser.add_argument(
        "--admin",
        action="store_true",
        help="allow everything: all factions, orders outside the rules, new sims and forks",
    )
    parser.add_argument("--subject", metavar="NAME", help="subject of the token (default: the faction, or admin)")
    parser.add_argument(
        "--hours",
        type=float,
        default=24.0,
        metavar="N",
        help="lifetime of the token in hours, up to 87840 (default: %(default)g)",
    )
    options = parser.parse_args(arguments)
    if not (options.faction or options.admin):
        parser.error("--faction or --admin is required")
    if not 0 < options.hours <= 24 * 366 * 10:
        parser.error("--hours must be above 0 and at most 87840 (ten years)")
    subject = options.subject or ("admin" if options.admin else options.faction[0])
    if not is_subject(subject):
        parser.error("--subject must have 1 to 128 characters, without control characters")
    sys.argv[1:] = []
    settings = load(ApiSettings, about="")
    ring = settings.key_ring
    key = ring.signing if ring is not None else None
    if key is None:
        print("no signing key: set AUTH_SECRET, or AUTH_JWKS to a file with a secret or private key", file=sys.stderr)
        return 2
    print(
        sign_token(
            key, settings.auth_audience, subject, options.faction, options.sim, admin=options.admin, hours=options.hours
        )
    )
    return 0


def sign_token(
    key: Key,
    audience: str,
    subject: str,
    factions: Sequence[str] = (),
    sims: Sequence[str] = (),
    *,
    admin: bool = False,
    hours: float = 24.0,
) -> str:
    """Return a token for `factions` in `sims` (empty: all)."""
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


__getattr__ = deprecated_names(__name__, {"make": "sign_token"})
