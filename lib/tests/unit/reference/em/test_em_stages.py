"""What the EM does to decider and workers in each stage."""

from __future__ import annotations

from pathlib import Path

from em_bench import POLICY, Bench, scenario

from nfvcert.reference.em.behaviour import EmBehaviour
from nfvcert.sol.lcmcoord import LcmCoordResultType


def test_activation_puts_all_workers_into_the_pool_of_the_running_version(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        assert {id: w["group"] for id, w in bench.vnf.lb.pool.items()} == {"o1": "v1", "o2": "v1"}
        assert bench.vnf.lb.shares == {"v1": 100}
        assert await bench.shares() == {"v1": 100}

    scenario(tmp_path, test)


def test_activation_waits_for_a_vnfc_that_is_not_ready_and_gives_up_in_time(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        (await bench.vnf.add("o3", "v1")).ready = False
        result = await bench.run("activate", newVnfcs=["o3"])
        assert result["coordinationResult"] == "ABORT"
        assert "o3" in result["error"]["detail"] and "not ready" in result["error"]["detail"]
        assert "o3" not in bench.vnf.lb.pool

    scenario(tmp_path, test)


def test_scale_out_keeps_the_shares_in_force(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        await bench.vnf.add("n1", "v2")
        await bench.run("migrate", share=10, newVnfcs=["n1"])
        await bench.vnf.add("n2", "v2")
        result = await bench.run("activate", newVnfcs=["n2"])
        assert result["coordinationResult"] == "CONTINUE"
        assert bench.vnf.lb.shares == {"v1": 90, "v2": 10}
        assert set(bench.vnf.lb.pool) == {"o1", "o2", "n1", "n2"}

    scenario(tmp_path, test)


def test_a_step_adds_new_workers_before_their_group_gets_a_share(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        bench.vnf.user("u1", "o1")
        await bench.vnf.add("n1", "v2")
        bench.vnf.lb.history.clear()
        result = await bench.run("migrate", share=10, newVnfcs=["n1"])
        assert result["coordinationResult"] == "CONTINUE"
        assert bench.vnf.lb.history == [
            ("workers", {"o1": "v1", "o2": "v1", "n1": "v2"}),
            ("shares", {"v1": 90, "v2": 10}),
        ]
        assert bench.vnf.lb.users == {"u1": "o1"}
        assert await bench.shares() == {"v1": 90, "v2": 10}
        assert (await bench.migration("continued"))["share"] == 10

    scenario(tmp_path, test)


def test_retirement_of_the_old_version_moves_what_does_not_end(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        for n in range(4):
            bench.vnf.user(f"u{n}", "o1")
        bench.vnf.user("idle", "o2", active=False)
        await bench.vnf.add("n1", "v2")
        await bench.vnf.add("n2", "v2")
        await bench.run("migrate", share=100, newVnfcs=["n1", "n2"])
        result = await bench.run("retire", vnfcIds=["res-o1", "o2"])
        output = result["outputParams"]
        assert result["coordinationResult"] == "CONTINUE"
        assert output["retire"] == ["res-o1", "o2"]
        assert output["moved"]["o1"]["sessions"] == 4 and output["moved"]["o2"]["sessions"] == 1
        assert {output["moved"][id]["to"] for id in ("o1", "o2")} == {"n1", "n2"}
        assert set(bench.vnf.lb.pool) == {"n1", "n2"} and not bench.vnf.lb.held
        assert bench.vnf.worker("o1").calls == ["export", "release"]
        heir = bench.vnf.worker(output["moved"]["o1"]["to"])
        assert set(heir.sessions) == {"u0", "u1", "u2", "u3"}
        assert bench.vnf.worker("o1").external in heir.adopted
        done = await bench.run("complete")
        assert done["outputParams"]["shares"] == {"v2": 100} == bench.vnf.lb.shares

    scenario(tmp_path, test)


def test_a_part_of_a_group_drains_without_new_users_and_into_its_own_group(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        await bench.vnf.add("n1", "v2")
        await bench.run("migrate", share=50, newVnfcs=["n1"])
        bench.vnf.user("u1", "o1")
        bench.vnf.lb.history.clear()
        result = await bench.run("retire", vnfcIds=["o1"])
        assert result["outputParams"]["moved"]["o1"]["to"] == "o2"
        assert bench.vnf.lb.history[0] == ("workers", {"o1": "v1/drain", "o2": "v1", "n1": "v2"})
        assert {kind: value for kind, value in bench.vnf.lb.history if kind == "shares"} == {
            "shares": {"v1": 50, "v2": 50}
        }
        assert await bench.shares() == {"v1": 50, "v2": 50}

    scenario(tmp_path, test)


def test_waiting_for_sessions_names_only_those_that_are_empty(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        bench.vnf.user("u1", "o1")
        policy = POLICY | {"drain": {"idle_s": 0.01, "timeout_s": 0.05, "remaining": "wait"}}
        result = await bench.run("drain", vnfcIds=["o1"], policy=policy)
        assert result["outputParams"]["retire"] == [] and result["outputParams"]["waiting"] == {"o1": 1}
        assert "o1" in bench.vnf.lb.pool

    scenario(tmp_path, test, drain_limit_s=0.05)


def test_force_tells_how_many_sessions_are_cut(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        bench.vnf.user("u1", "o1")
        policy = POLICY | {"drain": {"idle_s": 0.01, "timeout_s": 0.05, "remaining": "force"}}
        result = await bench.run("drain", vnfcIds=["o1"], policy=policy)
        assert result["outputParams"]["retire"] == ["o1"] and result["outputParams"]["forced"] == {"o1": 1}

    scenario(tmp_path, test)


def test_a_dead_worker_is_drained_with_a_warning_as_before_a_repair(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        await bench.vnf.worker("o1").stop()
        result = await bench.run("drain", vnfcIds=["o1"])
        assert result["coordinationResult"] == "CONTINUE" and result["outputParams"]["retire"] == ["o1"]
        assert "o1" in result["warnings"][0]
        assert set(bench.vnf.lb.pool) == {"o2"}

    scenario(tmp_path, test)


def test_the_last_living_worker_is_not_drained(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        result = await bench.run("drain", vnfcIds=["o1", "o2"])
        assert result["coordinationResult"] == "ABORT" and "take over" in result["error"]["detail"]
        assert {w["group"] for w in bench.vnf.lb.pool.values()} == {"v1"}

    scenario(tmp_path, test)


def test_a_refused_import_leaves_users_where_they_are(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        bench.vnf.user("u1", "o1")
        bench.vnf.worker("o2").refuse_import = True
        result = await bench.run("drain", vnfcIds=["o1"])
        assert result["coordinationResult"] == "ABORT" and "refused" in result["error"]["detail"]
        assert bench.vnf.lb.users == {"u1": "o1"} and not bench.vnf.lb.held
        assert bench.vnf.worker("o1").released is False

    scenario(tmp_path, test)


def test_revert_brings_users_addresses_and_shares_home(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        bench.vnf.user("u1", "o1")
        for id in ("n1", "n2"):
            await bench.vnf.add(id, "v2")
        await bench.run("migrate", share=100, newVnfcs=["n1", "n2"])
        bench.vnf.user("u2", "n1")
        retired = await bench.run("retire", vnfcIds=["o1", "o2"])
        heir = retired["outputParams"]["moved"]["o1"]["to"]
        result = await bench.run("revert", newVnfcs=["n1", "n2"], oldVnfcs=["o1", "o2"])
        assert result["coordinationResult"] == "CONTINUE", result
        assert result["outputParams"]["moved"][heir]["to"] == "o1"
        assert result["outputParams"]["moved"][heir]["stateFormat"] == 1
        assert bench.vnf.lb.shares == {"v1": 100} and set(bench.vnf.lb.pool) == {"o1", "o2"}
        assert set(bench.vnf.lb.users.values()) <= {"o1", "o2"}
        assert bench.vnf.worker("o1").sessions["u1"] == bench.vnf.worker("o1").external
        assert not bench.vnf.worker("o1").released
        await bench.vnf.delete("n1", "n2")
        assert (await bench.run("reverted"))["outputParams"]["shares"] == {"v1": 100}
        assert await bench.shares() == {"v1": 100}

    scenario(tmp_path, test)


def test_revert_after_a_dead_new_worker_says_what_is_lost(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        await bench.vnf.add("n1", "v2")
        await bench.run("migrate", share=10, newVnfcs=["n1"])
        bench.vnf.user("u1", "n1")
        await bench.vnf.worker("n1").stop()
        result = await bench.run("revert", newVnfcs=["n1"], oldVnfcs=["o1", "o2"])
        assert result["coordinationResult"] == "CONTINUE"
        assert "n1" in result["outputParams"]["unreachable"] and "n1" in result["warnings"][0]
        assert set(bench.vnf.lb.pool) == {"o1", "o2"} and bench.vnf.lb.shares == {"v1": 100}

    scenario(tmp_path, test)


def test_revert_waits_for_old_workers_that_were_made_again(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        for id in ("n1", "n2"):
            await bench.vnf.add(id, "v2")
        await bench.run("migrate", share=100, newVnfcs=["n1", "n2"])
        await bench.run("retire", vnfcIds=["o1", "o2"])
        await bench.vnf.delete("o1", "o2")
        for id in ("o3", "o4"):
            await bench.vnf.add(id, "v1")
        bench.vnf.user("u1", "n1")
        result = await bench.run("revert", newVnfcs=["n1", "n2"], oldVnfcs=["o3", "o4"])
        assert result["coordinationResult"] == "CONTINUE"
        assert set(bench.vnf.lb.pool) == {"o3", "o4"} and bench.vnf.lb.users["u1"] in ("o3", "o4")

    scenario(tmp_path, test)


def test_an_unreachable_decider_aborts_every_stage(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        await bench.vnf.add("n1", "v2")
        await bench.vnf.lb.stop()
        for stage, inputs in {
            "migrate": {"share": 10, "newVnfcs": ["n1"]},
            "retire": {"vnfcIds": ["o1"]},
            "revert": {"newVnfcs": ["n1"]},
            "complete": {"destinationVnfdId": "v1"},
        }.items():
            result = await bench.run(stage, **inputs)
            assert result["coordinationResult"] == "ABORT", stage
            assert "VNFC lb" in result["error"]["detail"] or "decider" in result["error"]["detail"]

    scenario(tmp_path, test)


def test_a_behaviour_can_go_on_after_a_fault(tmp_path: Path) -> None:
    class Deaf(EmBehaviour):
        def verdict_on_fault(self, fault: str) -> LcmCoordResultType:
            return LcmCoordResultType.CONTINUE

        def contains_fault(self, fault: str) -> bool:
            return False

    async def test(bench: Bench) -> None:
        await bench.vnf.add("n1", "v2", start=False)
        assert (await bench.run("migrate", share=10, newVnfcs=["n1"]))["coordinationResult"] == "CONTINUE"

    scenario(tmp_path, test, behaviour=Deaf())


def test_completion_for_a_version_without_workers_leaves_the_pool_alone(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        for stage in ("complete", "reverted"):
            result = await bench.run(stage, destinationVnfdId="v9", sourceVnfdId="v9")
            assert result["coordinationResult"] == "ABORT" and "v9" in result["error"]["detail"]
        assert set(bench.vnf.lb.pool) == {"o1", "o2"} and bench.vnf.lb.shares == {"v1": 100}

    scenario(tmp_path, test)


def test_a_drained_worker_that_is_activated_again_gets_new_users(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        bench.vnf.user("u1", "o1")
        policy = POLICY | {"drain": {"idle_s": 0.01, "timeout_s": 0.01, "remaining": "wait"}}
        await bench.run("drain", vnfcIds=["o1"], policy=policy)
        assert bench.vnf.lb.pool["o1"]["group"] == "v1/drain"
        await bench.run("activate", vnfcIds=["o1"])
        assert bench.vnf.lb.pool["o1"]["group"] == "v1"

    scenario(tmp_path, test, drain_limit_s=0.01)
