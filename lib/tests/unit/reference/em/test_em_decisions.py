"""Decisions at migration steps: administrator, automatic, faults, cancel."""

from __future__ import annotations

import asyncio
from pathlib import Path

from em_bench import COORDINATIONS, POLICY, VERSION, Bench, scenario

ASK = POLICY | {"decision": "administrator"}


def test_the_administrator_lets_a_step_go_on(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        await bench.vnf.add("n1", "v2")
        posted = await bench.post("migrate", share=30, newVnfcs=["n1"], policy=ASK)
        assert posted.status_code == 202 and posted.headers["location"].startswith("http://em" + COORDINATIONS)
        migration = await bench.migration("awaiting_decision")
        assert migration["coordinationId"] in posted.headers["location"]
        assert [entered["state"] for entered in migration["states"]] == ["preparing", "observing", "awaiting_decision"]
        assert migration["kpi"]["users"] == {"new": 0, "old": 0}
        assert (await bench.decide(migration["id"], "CONTINUE")).status_code == 204
        result = await bench.result(posted)
        assert result["coordinationResult"] == "CONTINUE" and result["outputParams"]["share"] == 30
        assert (await bench.migration("continued"))["decision"]["reason"] == "test"
        assert (await bench.decide(migration["id"], "ABORT")).status_code == 409

    scenario(tmp_path, test)


def test_the_administrator_aborts_a_step_and_the_shares_stay_for_the_rollback(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        await bench.vnf.add("n1", "v2")
        posted = await bench.post("migrate", share=30, newVnfcs=["n1"], policy=ASK)
        migration = await bench.migration("awaiting_decision")
        await bench.decide(migration["id"], "ABORT")
        result = await bench.result(posted)
        assert result["coordinationResult"] == "ABORT" and "test" in result["error"]["detail"]
        assert await bench.shares() == {"v1": 70, "v2": 30}

    scenario(tmp_path, test)


def test_abort_is_taken_while_the_step_is_observed_but_continue_is_not(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        await bench.vnf.add("n1", "v2")
        posted = await bench.post("migrate", share=30, newVnfcs=["n1"], policy=ASK | {"observe_s": 60})
        migration = await bench.migration("observing")
        assert (await bench.decide(migration["id"], "CONTINUE")).status_code == 409
        assert (await bench.decide(migration["id"], "ABORT")).status_code == 204
        assert (await bench.result(posted))["coordinationResult"] == "ABORT"

    scenario(tmp_path, test)


def test_no_decision_in_time_aborts(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        await bench.vnf.add("n1", "v2")
        policy = ASK | {"decision_timeout_s": 0.05}
        result = await bench.run("migrate", share=30, newVnfcs=["n1"], policy=policy)
        assert result["coordinationResult"] == "ABORT" and "no decision" in result["error"]["detail"]

    scenario(tmp_path, test)


def test_a_new_vnfc_that_falls_silent_is_contained(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        await bench.vnf.add("n1", "v2")
        posted = await bench.post("migrate", share=10, newVnfcs=["n1"], policy=ASK)
        await bench.migration("awaiting_decision")
        bench.vnf.worker("n1").silent = True
        result = await bench.result(posted)
        assert result["coordinationResult"] == "ABORT" and "n1" in result["error"]["detail"]
        assert bench.vnf.lb.shares == {"v1": 100} and set(bench.vnf.lb.pool) == {"o1", "o2"}
        assert (await bench.migration("aborted"))["reason"].startswith("VNFC n1")

    scenario(tmp_path, test)


def test_a_new_vnfc_that_never_comes_up_changes_no_traffic(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        await bench.vnf.add("n1", "v2", start=False)
        bench.vnf.lb.history.clear()
        result = await bench.run("migrate", share=10, newVnfcs=["n1"])
        assert result["coordinationResult"] == "ABORT" and "n1" in result["error"]["detail"]
        assert bench.vnf.lb.history == []

    scenario(tmp_path, test)


def test_cancel_ends_with_the_result_cancelled(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        await bench.vnf.add("n1", "v2")
        posted = await bench.post("migrate", share=10, newVnfcs=["n1"], policy=ASK)
        migration = await bench.migration("awaiting_decision")
        url = posted.headers["location"]
        assert (await bench.http.post(f"{url}/cancel", headers=VERSION)).status_code == 202
        assert (await bench.result(posted))["coordinationResult"] == "CANCELLED"
        assert (await bench.http.post(f"{url}/cancel", headers=VERSION)).status_code == 409
        assert (await bench.decide(migration["id"], "CONTINUE")).status_code == 409

    scenario(tmp_path, test)


def test_a_rollback_supersedes_a_step_that_awaits_its_decision(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        await bench.vnf.add("n1", "v2")
        posted = await bench.post("migrate", share=10, newVnfcs=["n1"], policy=ASK)
        await bench.migration("awaiting_decision")
        result = await bench.run("revert", newVnfcs=["n1"], oldVnfcs=["o1", "o2"])
        assert result["coordinationResult"] == "CONTINUE"
        assert (await bench.result(posted))["coordinationResult"] == "CANCELLED"
        assert bench.vnf.lb.shares == {"v1": 100}

    scenario(tmp_path, test)


def test_another_operation_is_refused_while_one_coordination_is_open(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        await bench.vnf.add("n1", "v2")
        await bench.post("migrate", share=10, newVnfcs=["n1"], policy=ASK)
        refused = await bench.post("drain", vnfcIds=["o1"], op="op-2")
        assert refused.status_code == 409
        assert refused.headers["content-type"].startswith("application/problem+json")

    scenario(tmp_path, test)


def test_many_requests_at_once_leave_one_coordination(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        await bench.vnf.add("n1", "v2")
        posted = await asyncio.gather(
            *(bench.post("migrate", share=share, newVnfcs=["n1"], policy=ASK) for share in (10, 20, 30, 40))
        )
        migration = await bench.migration("awaiting_decision")
        await bench.decide(migration["id"], "CONTINUE")
        results = [(await bench.result(one))["coordinationResult"] for one in posted]
        assert results == ["CANCELLED", "CANCELLED", "CANCELLED", "CONTINUE"]
        assert await bench.shares() == {"v1": 60, "v2": 40}

    scenario(tmp_path, test)
