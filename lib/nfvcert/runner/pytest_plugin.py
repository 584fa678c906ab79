"""pytest plugin: reports every finished test to the runner, with the purpose that its marker names."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from nfvcert.runner.reported import ReportedTest, report_test


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line("markers", "purpose(id): the test purpose that this test shows")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Generator[None, Any, None]:
    """Report a test once: at its call, or where its set-up failed."""
    outcome = yield
    result = outcome.get_result()
    if result.when != "call" and not (result.when == "setup" and result.outcome != "passed"):
        return
    marker = item.get_closest_marker("purpose")
    status = {"passed": "PASS", "failed": "FAIL", "skipped": "SKIP"}[result.outcome]
    report_test(
        ReportedTest(
            backend="pytest",
            suite=str(item.path),
            test=item.name,
            purpose=str(marker.args[0]) if marker else "",
            status=status,
            message="" if status == "PASS" else str(result.longreprtext)[:2000],
            seconds=float(result.duration),
        )
    )
