"""Robot listener: reports every finished test to the runner."""

from __future__ import annotations

from typing import Any

from nfvcert.runner.reported import ReportedTest, report_test

ROBOT_LISTENER_API_VERSION = 3
PURPOSE_PREFIX = "TP."


def purpose_of(tags: list[str]) -> str:
    """The purpose among the tags of a test; empty for the steps of a procedure."""
    return next((str(tag) for tag in tags if str(tag).startswith(PURPOSE_PREFIX)), "")


def end_test(data: Any, result: Any) -> None:
    """Called by Robot after each test."""
    report_test(
        ReportedTest(
            backend="robot",
            suite=str(data.parent.source or ""),
            test=str(data.name),
            purpose=purpose_of(list(data.tags)),
            status=str(result.status),
            message=str(result.message),
            seconds=float(result.elapsed_time.total_seconds()),
        )
    )
