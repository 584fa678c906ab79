"""Notification sinks and the control interface of the witness."""

from __future__ import annotations

import time
from typing import Any

from fastapi import FastAPI, Request, Response

from nfvcert.history import EventKind
from nfvcert.testbed.witness.models import Rule, ScenarioOrder, Sink
from nfvcert.testbed.witness.record import kept_headers, recorded_body
from nfvcert.testbed.witness.state import WitnessState


def sink_app(state: WitnessState) -> FastAPI:
    """Receives notifications at ``/sink/{name}``; a GET is the test of the callback and answered 204."""
    app = FastAPI(title="notification sinks", openapi_url=None)

    @app.get("/sink/{name}")
    async def probe(name: str) -> Response:
        return Response(status_code=204)

    @app.post("/sink/{name}")
    async def notify(name: str, request: Request) -> Response:
        arrived = time.monotonic_ns()
        content = await request.body()
        body: Any = recorded_body(content, request.headers.get("content-type", "application/json") or "json")
        kind = str(body.get("notificationType", "")) if isinstance(body, dict) else ""
        status = 503 if state.refuses(name, kind) else 204
        state.record(
            EventKind.API_NOTIFICATION,
            f"sink:{name}",
            {
                "sink": name,
                "type": kind,
                "notification": body,
                "status": status,
                "headers": kept_headers(request.headers.raw),
            },
            t=arrived,
        )
        return Response(status_code=status, headers={"Retry-After": "1"} if status == 503 else None)

    return app


def control_app(state: WitnessState) -> FastAPI:
    """Orders of the tester: where to record, which faults to put in, how sinks behave."""
    app = FastAPI(title="witness", openapi_url=None)

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ready"}

    @app.put("/scenario", status_code=204)
    async def begin(order: ScenarioOrder) -> None:
        state.begin(order)

    @app.delete("/scenario", status_code=204)
    async def end() -> None:
        state.end()

    @app.put("/rules", status_code=204)
    async def add_rule(rule: Rule) -> None:
        state.add_rule(rule)

    @app.delete("/rules/{rule_id}", status_code=204)
    async def remove_rule(rule_id: str) -> Response:
        return Response(status_code=204 if state.remove_rule(rule_id) else 404)

    @app.put("/sinks", status_code=204)
    async def set_sink(sink: Sink) -> None:
        state.sinks[sink.name] = sink

    return app
