"""Each seeded defect of the EM does what it says, and nothing else."""

from __future__ import annotations

import asyncio
from pathlib import Path

from em_bench import POLICY, Bench, scenario

from nfvcert.extension import load_behaviour
from nfvcert.reference.em.behaviour import EmBehaviour

DEFECTS = Path(__file__).resolve().parents[5] / "fixtures" / "nonconformities"


def defect(id: str) -> EmBehaviour:
    return load_behaviour(DEFECTS / f"{id}.py", EmBehaviour)()


def test_all_to_the_new_version_in_the_first_step(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        await bench.vnf.add("n1", "v2")
        assert (await bench.run("migrate", share=10, newVnfcs=["n1"]))["coordinationResult"] == "CONTINUE"
        assert await bench.shares() == {"v1": 0, "v2": 100}

    scenario(tmp_path, test, behaviour=defect("DEF.VNF.05.e"))


def test_shares_stay_after_a_rollback(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        await bench.vnf.add("n1", "v2")
        await bench.run("migrate", share=10, newVnfcs=["n1"])
        bench.vnf.user("u1", "n1")
        assert (await bench.run("revert", newVnfcs=["n1"], oldVnfcs=["o1", "o2"]))["coordinationResult"] == "CONTINUE"
        assert bench.vnf.lb.users["u1"] in ("o1", "o2")
        await bench.vnf.delete("n1")
        assert (await bench.run("reverted"))["coordinationResult"] == "CONTINUE"
        assert await bench.shares() == {"v1": 90, "v2": 10} and "n1" in bench.vnf.lb.pool

    scenario(tmp_path, test, behaviour=defect("DEF.GEN.03.e"))


def test_drain_is_answered_with_sessions_left(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        bench.vnf.user("u1", "o1")
        result = await bench.run("drain", vnfcIds=["o1"])
        assert result["outputParams"]["retire"] == ["o1"] and result["outputParams"]["moved"] == {}
        assert bench.vnf.worker("o1").calls == []

    scenario(tmp_path, test, behaviour=defect("DEF.VNF.09.f"))


def test_established_users_are_moved_at_a_step(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        bench.vnf.user("u1", "o1")
        bench.vnf.user("u2", "o2")
        await bench.vnf.add("n1", "v2")
        await bench.run("migrate", share=10, newVnfcs=["n1"])
        assert bench.vnf.lb.users == {"u1": "n1", "u2": "o2"} and bench.vnf.lb.shares == {"v1": 90, "v2": 10}

    scenario(tmp_path, test, behaviour=defect("DEF.VNF.08.j"))


def test_a_fault_does_not_abort(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        await bench.vnf.add("n1", "v2")
        posted = await bench.post("migrate", share=10, newVnfcs=["n1"], policy=POLICY | {"observe_s": 60})
        await bench.migration("observing")
        bench.vnf.worker("n1").silent = True
        assert (await bench.result(posted))["coordinationResult"] == "CONTINUE"
        assert bench.vnf.lb.shares == {"v1": 90, "v2": 10} and "n1" in bench.vnf.lb.pool

    scenario(tmp_path, test, behaviour=defect("DEF.VNF.08.k"))


def test_the_share_follows_the_answer(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        await bench.vnf.add("n1", "v2")
        assert (await bench.run("migrate", share=10, newVnfcs=["n1"]))["coordinationResult"] == "CONTINUE"
        assert bench.vnf.lb.shares == {"v1": 100}
        while bench.vnf.lb.shares != {"v1": 90, "v2": 10}:
            await asyncio.sleep(0.02)

    scenario(tmp_path, test, behaviour=defect("DEF.VNF.03.f"))
