"""The controller's interface: JSON over HTTP."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.requests import Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict

from nfvcert.dataplane.controller.engine import Engine, NotPossible
from nfvcert.dataplane.controller.scalings import ScalingRequest
from nfvcert.errors import NfvcertError


class Overload(BaseModel):
    """A report that an instance is overloaded (REL002 clause 6.2 step 1)."""

    model_config = ConfigDict(extra="forbid")
    instance: str


def make_app(engine: Engine) -> FastAPI:
    """The application over an engine that has been started."""
    app = FastAPI(title="nfvcert controller", openapi_url=None)

    @app.exception_handler(NotPossible)
    def conflict(_: Request, error: NotPossible) -> JSONResponse:
        return JSONResponse({"title": "Conflict", "status": 409, "detail": str(error)}, 409)

    @app.exception_handler(NfvcertError)
    def broken(_: Request, error: NfvcertError) -> JSONResponse:
        return JSONResponse({"title": "Dataplane", "status": 503, "detail": error.message}, 503)

    @app.exception_handler(RequestValidationError)
    def unfit(_: Request, error: RequestValidationError) -> JSONResponse:
        found = "; ".join(f"{'.'.join(map(str, e['loc'][1:]))}: {e['msg']}" for e in error.errors())
        return JSONResponse({"title": "Bad Request", "status": 400, "detail": found}, 400)

    @app.post("/scalings", status_code=201)
    def ask(request: ScalingRequest) -> dict[str, Any]:
        return engine.ask(request).document()

    @app.get("/scalings")
    def scalings() -> list[dict[str, Any]]:
        return [scaling.document() for scaling in engine.scalings.values()]

    @app.get("/scalings/{identifier}")
    def scaling(identifier: str) -> JSONResponse:
        found = engine.scalings.get(identifier)
        if found is None:
            return JSONResponse({"title": "Not Found", "status": 404, "detail": f"no scaling '{identifier}'"}, 404)
        return JSONResponse(found.document())

    @app.post("/overloads")
    def overload(report: Overload) -> JSONResponse:
        found, new = engine.report_overload(report.instance)
        return JSONResponse(found.document(), 201 if new else 200)

    @app.get("/status")
    def status() -> dict[str, Any]:
        return engine.status()

    return app
