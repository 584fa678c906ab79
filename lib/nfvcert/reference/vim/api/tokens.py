"""Tokens of the identity service and the check of them in the other services."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

from fastapi import Request

from nfvcert.reference.vim.faults import UnauthorizedError
from nfvcert.reference.vim.settings import UserSettings

REFUSED = "The request you have made requires authentication."


@dataclass(frozen=True)
class Token:
    """A token and how long it counts."""

    id: str
    audit_id: str
    methods: tuple[str, ...]
    scoped: bool
    issued: datetime
    expires: datetime


class Tokens:
    """The tokens of the one user of the cloud; they are lost with the process, and clients then ask for new ones."""

    def __init__(self, user: UserSettings, lifetime_s: int) -> None:
        self.user = user
        self.user_id = uuid5(NAMESPACE_URL, f"user:{user.username}").hex
        self.project_id = uuid5(NAMESPACE_URL, f"project:{user.project_name}").hex
        self._lifetime = timedelta(seconds=lifetime_s)
        self._tokens: dict[str, Token] = {}

    def issue(self, methods: tuple[str, ...], *, scoped: bool) -> Token:
        """A new token."""
        now = datetime.now(UTC)
        for token in [token for token in self._tokens.values() if token.expires <= now]:
            self.revoke(token.id)
        new = Token(secrets.token_urlsafe(32), secrets.token_urlsafe(16), methods, scoped, now, now + self._lifetime)
        self._tokens[new.id] = new
        return new

    def find(self, id: str) -> Token | None:
        """The token if it counts."""
        token = self._tokens.get(id)
        return token if token is not None and token.expires > datetime.now(UTC) else None

    def revoke(self, id: str) -> None:
        """Make a token count no more."""
        self._tokens.pop(id, None)

    def password_is(self, name: str | None, id: str | None, password: str) -> bool:
        """Whether a user is the one of the cloud and the password is right."""
        known = name == self.user.username if id is None else id == self.user_id
        right = hmac.compare_digest(password.encode(), self.user.password.encode())
        return known and right

    async def require(self, request: Request) -> Token:
        """The token of a request (FastAPI dependency).

        Raises:
            UnauthorizedError: none, or one that does not count.
        """
        token = self.find(request.headers.get("X-Auth-Token", ""))
        if token is None:
            raise UnauthorizedError(REFUSED)
        return token
