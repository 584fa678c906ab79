"""What requests about packages and about NS descriptors have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import Request
from starlette.responses import JSONResponse, Response

from nfvcert.reference.common import resources
from nfvcert.reference.common.problem import Problem
from nfvcert.reference.common.store import Document
from nfvcert.sol.common import SolRequest


def check_content_type(request: Request, accepted: tuple[str, ...]) -> None:
    """Raise 415 for content of another type."""
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given not in accepted:
        raise Problem(415, f"content has to be {' or '.join(accepted)}, not {given or 'without a type'}")


def modified(
    request: Request,
    body: SolRequest,
    state: str,
    find: Callable[[], Document],
    modify: Callable[[dict[str, Any]], dict[str, Any]],
) -> Response:
    """Answer a PATCH: what was changed, as merge patch.

    Raises:
        Problem: 412 for another version than If-Match names, 422 where the operational state is to be removed.

    Args:
        state: the attribute that is the operational state.
        find: reads the resource.
        modify: changes it by the patch, answers what was changed.
    """
    patch = body.model_dump(mode="json", exclude_unset=True)
    if state in patch and patch[state] is None:
        raise Problem(422, f"{state} cannot be removed")
    resources.check_if_match(request, find().version)
    changed = modify(patch)
    return JSONResponse(changed, headers={"ETag": resources.etag(find().version)})
