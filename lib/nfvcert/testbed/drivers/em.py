"""The administrator's view of the reference EM: its declared northbound binding."""

from __future__ import annotations

from typing import Any

import httpx

from nfvcert.errors import StackError


class ReferenceEm:
    """Migrations that wait for a decision, and the shares in force."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=10.0, trust_env=False)

    def migrations(self, instance: str) -> list[dict[str, Any]]:
        """All migrations of a VNF instance, oldest first."""
        return list(self._get("/em/v1/migrations", {"vnfInstanceId": instance}))

    def decide(self, migration: str, decision: str, reason: str) -> int:
        """CONTINUE or ABORT a migration; returns the HTTP status."""
        body = {"decision": decision, "reason": reason}
        try:
            return self._http.post(f"/em/v1/migrations/{migration}/decision", json=body).status_code
        except httpx.HTTPError as error:
            raise StackError("the EM does not answer", where=str(self._http.base_url), found=repr(error)) from error

    def shares(self, instance: str) -> dict[str, float]:
        """Percent of new service requests by vnfdId, as the EM set them."""
        return dict(self._get("/em/v1/shares", {"vnfInstanceId": instance}).get("shares", {}))

    def _get(self, path: str, params: dict[str, str]) -> Any:
        try:
            answer = self._http.get(path, params=params)
            answer.raise_for_status()
            return answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise StackError("the EM does not answer as declared", where=path, found=repr(error)) from error
