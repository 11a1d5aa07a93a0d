"""Authentication and authorization: the bearer of a token, and what it may do (RFC 6750, RFC 7519)."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import jwt
from jwt.exceptions import ExpiredSignatureError, InvalidAudienceError, InvalidSubjectError, InvalidTokenError
from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, ValidationError
from sanic import Request

from sector.api.keyring import KeyRing
from sector.api.problems import ApiError
from sector.models import Order
from sector.models.error_texts import describe_error

ALL = "*"
_MAX_TOKENS = 4096
"""The maximum number of tokens in the cache."""

CLOCK_SKEW_S = 10
"""How far the clock of an issuer may be ahead of ours: for `iat` and `nbf`. `exp` is exact."""

Names = str | tuple[str, ...]
_NAMES_CLAIMS = ("sim", "faction")

Subject = Annotated[str, Field(pattern=r"^[^\p{C}\p{Zl}\p{Zp}]{1,128}$")]
"""A name without control, format and other invisible characters, because it is written to logs and to the order log."""

_SUBJECT: TypeAdapter[str] = TypeAdapter(Subject)


class TokenClaims(BaseModel):
    """The claims of a token. `sim` and `faction` name one, several, or all (`*`). The scope `admin` allows everything in these sims."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    sub: Subject
    exp: float
    sim: Names = ALL
    faction: Names = ()
    scope: Literal["player", "admin"] = "player"


def is_subject(text: str) -> bool:
    """Return whether a text is valid as the subject of a token."""
    try:
        _SUBJECT.validate_python(text)
    except ValidationError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Bearer:
    """The client that sent a request. In `sims` and `factions`, None means all."""

    subject: str
    sims: frozenset[str] | None
    factions: frozenset[str] | None
    admin: bool
    until_s: float = float("inf")
    open: bool = False

    def check_sim(self, sim_id: str) -> None:
        """Raise ApiError unless the token is for this sim."""
        if self.sims is not None and sim_id not in self.sims:
            raise forbidden("sim", f"this token does not allow sim {sim_id}: use a token with it in the claim sim")

    def check_order(self, order: Order) -> None:
        """Raise ApiError unless it may submit orders of this faction."""
        if self.admin or self.factions is None:
            return
        if order.faction not in self.factions:
            action = f"faction {order.faction}" if order.faction else "making a system neutral"
            raise forbidden("faction", f"this token does not allow {action}: use a token that does")

    def check_may_create_sims(self) -> None:
        """Raise ApiError unless it may create sims. Call it before the body is parsed, and `check_sim` afterwards."""
        if not (self.admin or self.open):
            raise forbidden("scope", "this request requires a token with scope admin")


ANONYMOUS = Bearer("anonymous", None, None, admin=False, open=True)
"""The bearer of all requests if the API needs no token."""


def forbidden(field: str, message: str) -> ApiError:
    """Return the error of a valid token that does not allow a request."""
    headers = {"WWW-Authenticate": 'Bearer error="insufficient_scope"'}
    return ApiError(403, "Forbidden", message, [{"field": field, "message": message}], headers)


class Authenticator:
    """Authenticates requests. Valid tokens stay in a cache until they expire, or the keys change."""

    def __init__(self, ring: KeyRing | None, audience: str) -> None:
        self._ring = ring
        self._audience = audience
        self._bearers: dict[str, Bearer] = {}
        self._version = 0

    @property
    def open(self) -> bool:
        """Whether requests need no token."""
        return self._ring is None

    @property
    def key_counts(self) -> dict[str, JsonValue]:
        """Numbers of keys that are used, and of those that were skipped. The log has the reasons."""
        return {} if self._ring is None else {"keys": len(self._ring), "keys_skipped": len(self._ring.skipped)}

    def authenticate(self, request: Request) -> Bearer:
        """Return the bearer of the token of a request. Raises ApiError if it is missing or invalid."""
        if self._ring is None:
            return ANONYMOUS
        ring = self._ring
        if ring.version != self._version:
            self._bearers.clear()
            self._version = ring.version
        header = request.headers.getone("authorization", "")
        bearer = self._bearers.get(header)
        if bearer is not None and bearer.until_s > time.time():
            return bearer
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise _unauthorized(
                "",
                "this request requires a token in the header Authorization: Bearer ...; create one with sector-api token",
            )
        bearer = self._verify(ring, token.strip())
        if len(self._bearers) >= _MAX_TOKENS:
            del self._bearers[next(iter(self._bearers))]
        self._bearers[header] = bearer
        return bearer

    def subject(self, request: Request) -> str | None:
        """Return the subject of the token of a request, if the token is in the cache."""
        bearer = self._bearers.get(request.headers.getone("authorization", ""))
        return None if bearer is None else bearer.subject

    def _verify(self, ring: KeyRing, token: str) -> Bearer:
        try:
            key_id = jwt.get_unverified_header(token).get("kid")
        except InvalidTokenError as error:
            raise _unauthorized("invalid_token", "the token is not a JWT: create one with sector-api token") from error
        fault = "the token is not signed by a key of this API: create a new one"
        for key in ring.find(key_id):
            try:
                claims = jwt.decode(
                    token,
                    key=key.jwk,
                    algorithms=[key.algorithm],
                    audience=self._audience,
                    # `check_age` verifies iat and nbf.
                    options={"require": ["exp", "sub", "aud"], "verify_iat": False, "verify_nbf": False},
                )
                check_age(claims, time.time())
                return _bearer(TokenClaims.model_validate(claims))
            except ExpiredSignatureError:
                fault = "the token is expired: create a new one"
            except InvalidAudienceError:
                fault = f"the token is for another service: its claim aud must be {self._audience}"
            except jwt.InvalidSignatureError:
                continue
            except InvalidTokenError as error:
                fault = f"the token is invalid: {_reason(error)}"
            except ValidationError as error:
                fault = describe_invalid_claim(error)
            except (jwt.PyJWTError, ArithmeticError, LookupError, RuntimeError, TypeError, ValueError):
                # This key cannot verify the token. Another key may.
                fault = "the token is invalid: create a new one"
        raise _unauthorized("invalid_token", fault)


def check_age(claims: Mapping[str, object], now_s: float) -> None:
    """Raise ImmatureSignatureError for a token of the future. The clock of the issuer may be `CLOCK_SKEW_S` ahead."""
    for name in ("nbf", "iat"):
        value = claims.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise jwt.ImmatureSignatureError(name)
        # Also true for NaN.
        if not value <= now_s + CLOCK_SKEW_S:
            raise jwt.ImmatureSignatureError(name)


def _reason(error: InvalidTokenError) -> str:
    """Return why a token is rejected, in our words: those of the library may quote the token."""
    match error:
        case jwt.ImmatureSignatureError():
            return f"its nbf or iat is not a number, or is more than {CLOCK_SKEW_S} s ahead of the clock of the API"
        case jwt.MissingRequiredClaimError():
            return f'the claim "{error.claim}" is missing'
        case jwt.InvalidAlgorithmError():
            return "its algorithm does not match its key"
        case InvalidSubjectError():
            return "its sub must be a string"
        case jwt.DecodeError():
            return "it cannot be decoded"
        case _:
            return "a claim is invalid"


def describe_invalid_claim(error: ValidationError) -> str:
    """Return which claim has a value that is not allowed, and why."""
    first = error.errors(include_url=False, include_input=False)[0]
    # The rest of the path are the members of a union.
    claim = str(first["loc"][0])
    reason = "must be a string or a list of strings" if claim in _NAMES_CLAIMS else describe_error(first)
    return f"the token's claim {claim} {reason}"


def _bearer(claims: TokenClaims) -> Bearer:
    return Bearer(claims.sub, _names(claims.sim), _names(claims.faction), claims.scope == "admin", claims.exp)


def _names(names: Names) -> frozenset[str] | None:
    listed: Sequence[str] = (names,) if isinstance(names, str) else names
    return None if ALL in listed else frozenset(listed)


def _unauthorized(error: str, detail: str) -> ApiError:
    challenge = f'Bearer realm="sector", error="{error}"' if error else 'Bearer realm="sector"'
    return ApiError(401, "Invalid token", detail, headers={"WWW-Authenticate": challenge})
