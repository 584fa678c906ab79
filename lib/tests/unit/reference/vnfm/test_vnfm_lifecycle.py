"""Create, instantiate, modify, scale, heal, operate, terminate, delete."""

from __future__ import annotations

from vnfm_doubles import LB_ADDRESS, NEW, OLD, Stack, World, descriptor, ext_links

from nfvcert.reference.vnfm.cloud import VimError
from waiting import eventually

ONLY_CHANGES = {"notificationTypes": ["VnfLcmOperationOccurrenceNotification"], "operationTypes": ["CHANGE_VNFPKG"]}


def test_instantiate_builds_what_the_descriptor_says(stack: Stack, world: World) -> None:
    instance = stack.instantiate()
    shown = stack.instance(instance)
    assert shown["instantiationState"] == "INSTANTIATED"
    info = shown["instantiatedVnfInfo"]
    assert info["scaleStatus"] == [{"aspectId": "workers", "scaleLevel": 1}]
    assert [v["vduId"] for v in info["vnfcResourceInfo"]] == ["lb", "worker", "worker"]
    balancer = info["vnfcResourceInfo"][0]
    access = next(cp for cp in balancer["vnfcCpInfo"] if cp["cpdId"] == "lb_access")
    given = access["cpProtocolInfo"][0]["ipOverEthernet"]
    assert given["ipAddresses"] == [{"type": "IPV4", "addresses": [LB_ADDRESS]}]
    assert given["macAddress"]
    ports = {p["resourceHandle"]["resourceId"] for link in info["extVirtualLinkInfo"] for p in link["extLinkPorts"]}
    ports |= {
        p["resourceHandle"]["resourceId"] for link in info["vnfVirtualLinkResourceInfo"] for p in link["vnfLinkPorts"]
    }
    assert ports == set(stack.cloud.ports)
    assert world.stages() == ["activate"]
    assert world.coordinations[0]["inputParams"]["vnfcIds"] == [v["id"] for v in info["vnfcResourceInfo"]]
    assert list(stack.cloud.groups.values()) == ["soft-anti-affinity"]


def test_vnfc_is_told_who_it_is(stack: Stack) -> None:
    instance = stack.instantiate()
    server = next(s for s in stack.cloud.servers.values() if s["name"].startswith("lb-"))
    data = server["user_data"]
    assert data["vnfInstanceId"] == instance
    assert data["vduId"] == "lb"
    assert data["vnfdId"] == OLD
    assert [(p["cp"], p["ifname"]) for p in data["ports"]] == [
        ("access", "eth0"),
        ("internal", "eth1"),
        ("mgmt", "eth2"),
    ]
    assert data["ports"][0]["ip"] == LB_ADDRESS
    assert data["ports"][0]["prefix"] == 16
    assert data["config"] == {"role": "lb"}


def test_instantiate_twice_and_without_links(stack: Stack) -> None:
    identifier = stack.create()
    missing = stack.task(identifier, "instantiate", flavourId="default")
    assert missing.status == 422
    assert stack.task(identifier, "instantiate", flavourId="none", extVirtualLinks=ext_links()).status == 422
    stack.until(stack.task(identifier, "instantiate", flavourId="default", extVirtualLinks=ext_links()), "COMPLETED")
    assert stack.task(identifier, "instantiate", flavourId="default", extVirtualLinks=ext_links()).status == 409


def test_tasks_of_an_instance_that_is_not_instantiated_are_refused(stack: Stack) -> None:
    identifier = stack.create()
    for task, body in (
        ("terminate", {"terminationType": "FORCEFUL"}),
        ("scale", {"type": "SCALE_OUT", "aspectId": "workers"}),
        ("heal", {}),
        ("operate", {"changeStateTo": "STOPPED"}),
        ("change_vnfpkg", {"vnfdId": NEW}),
    ):
        answer = stack.task(identifier, task, **body)
        assert (task, answer.status) == (task, 409)
        assert answer.problem


def test_failed_instantiation_is_rolled_back_to_nothing(stack: Stack) -> None:
    identifier = stack.create()

    def fault(call: str, name: str) -> None:
        if call == "create_server" and name.startswith("worker"):
            raise VimError("no valid host was found")

    stack.cloud.fault = fault
    answer = stack.task(identifier, "instantiate", flavourId="default", extVirtualLinks=ext_links())
    record = stack.until(answer, "FAILED_TEMP")
    stack.occurrence_task(record["id"], "rollback").expect(202)
    stack.until(record["id"], "ROLLED_BACK")
    assert not stack.cloud.servers
    assert not stack.cloud.ports
    assert len(stack.cloud.networks) == 3
    assert stack.instance(identifier)["instantiationState"] == "NOT_INSTANTIATED"
    assert stack.client.delete(f"/vnflcm/v2/vnf_instances/{identifier}").status == 204


def test_deleting_after_a_given_up_instantiation_leaves_nothing(stack: Stack) -> None:
    identifier = stack.create()

    def fault(call: str, name: str) -> None:
        if call == "create_server" and name.startswith("worker"):
            raise VimError("no valid host was found")

    stack.cloud.fault = fault
    answer = stack.task(identifier, "instantiate", flavourId="default", extVirtualLinks=ext_links())
    record = stack.until(answer, "FAILED_TEMP")
    stack.occurrence_task(record["id"], "fail").expect(200)
    assert len(stack.vnfcs(identifier, "lb")) == 1
    assert stack.client.delete(f"/vnflcm/v2/vnf_instances/{identifier}").status == 204
    assert not stack.cloud.servers
    assert not stack.cloud.ports
    assert not stack.cloud.groups
    assert len(stack.cloud.networks) == 3


def test_scale_out_and_in_within_the_levels(stack: Stack, world: World) -> None:
    instance = stack.instantiate()
    stack.until(stack.task(instance, "scale", type="SCALE_OUT", aspectId="workers", numberOfSteps=2), "COMPLETED")
    assert len(stack.vnfcs(instance)) == 4
    assert world.stages() == ["activate", "activate"]
    assert stack.task(instance, "scale", type="SCALE_OUT", aspectId="workers").status == 422
    assert stack.task(instance, "scale", type="SCALE_IN", aspectId="workers", numberOfSteps=4).status == 422
    assert stack.task(instance, "scale", type="SCALE_OUT", aspectId="other").status == 422
    record = stack.until(stack.task(instance, "scale", type="SCALE_IN", aspectId="workers"), "COMPLETED")
    assert world.stages()[-1] == "drain"
    gone = [c["id"] for c in record["resourceChanges"]["affectedVnfcs"] if c["changeType"] == "REMOVED"]
    assert gone == world.coordinations[-1]["inputParams"]["vnfcIds"]
    assert stack.instance(instance)["instantiatedVnfInfo"]["scaleStatus"][0]["scaleLevel"] == 2


def test_scale_in_removes_whom_the_element_manager_names(stack: Stack, world: World) -> None:
    instance = stack.instantiate()
    last = stack.vnfcs(instance)[-1]["id"]
    world.script = lambda request: {"outputParams": {"retire": [last]}}
    stack.until(stack.task(instance, "scale", type="SCALE_IN", aspectId="workers"), "COMPLETED")
    assert last not in [v["id"] for v in stack.vnfcs(instance)]


def test_aborted_scale_out_is_rolled_back(stack: Stack, world: World) -> None:
    instance = stack.instantiate()
    before = stack.instance(instance)
    world.script = lambda request: {"coordinationResult": "ABORT"} if len(world.coordinations) == 2 else {}
    record = stack.until(stack.task(instance, "scale", type="SCALE_OUT", aspectId="workers"), "FAILED_TEMP")
    stack.occurrence_task(record["id"], "rollback").expect(202)
    stack.until(record["id"], "ROLLED_BACK")
    assert stack.instance(instance) == before
    assert len(stack.cloud.servers) == 3


def test_heal_replaces_the_named_vnfc(stack: Stack, world: World) -> None:
    instance = stack.instantiate()
    sick, well = stack.vnfcs(instance)
    stack.until(stack.task(instance, "heal", vnfcInstanceId=sick["id"], cause="test"), "COMPLETED")
    after = {v["id"] for v in stack.vnfcs(instance)}
    assert sick["id"] not in after
    assert well["id"] in after
    assert len(after) == 2
    assert world.stages()[1:] == ["activate", "drain"]
    assert stack.task(instance, "heal", vnfcInstanceId=["nobody"]).status == 422


def test_heal_without_a_name_finds_the_broken_one(stack: Stack) -> None:
    instance = stack.instantiate()
    broken = stack.vnfcs(instance, "lb")[0]
    stack.cloud.servers[broken["computeResource"]["resourceId"]]["status"] = "ERROR"
    stack.until(stack.task(instance, "heal"), "COMPLETED")
    healed = stack.vnfcs(instance, "lb")[0]
    assert healed["id"] != broken["id"]
    assert healed["vnfcCpInfo"][0]["cpProtocolInfo"] != broken["vnfcCpInfo"][0]["cpProtocolInfo"]
    access = healed["vnfcCpInfo"][0]["cpProtocolInfo"][0]["ipOverEthernet"]["ipAddresses"]
    assert access[0]["addresses"] == [LB_ADDRESS]


def test_operate_stops_and_starts(stack: Stack) -> None:
    instance = stack.instantiate()
    stack.until(stack.task(instance, "operate", changeStateTo="STOPPED", stopType="FORCEFUL"), "COMPLETED")
    assert {s["status"] for s in stack.cloud.servers.values()} == {"SHUTOFF"}
    assert stack.instance(instance)["instantiatedVnfInfo"]["vnfState"] == "STOPPED"
    stack.until(stack.task(instance, "operate", changeStateTo="STARTED"), "COMPLETED")
    assert {s["status"] for s in stack.cloud.servers.values()} == {"ACTIVE"}


def test_terminate_leaves_nothing_and_delete_needs_it(stack: Stack, world: World) -> None:
    instance = stack.instantiate()
    path = f"/vnflcm/v2/vnf_instances/{instance}"
    assert stack.client.delete(path).status == 409
    record = stack.until(stack.task(instance, "terminate", terminationType="FORCEFUL"), "COMPLETED")
    assert len(record["resourceChanges"]["affectedVnfcs"]) == 3
    assert not stack.cloud.servers
    assert not stack.cloud.ports
    assert not stack.cloud.groups
    assert len(stack.cloud.networks) == 3
    assert len([r for r in world.grants[-1]["removeResources"] if r["type"] == "COMPUTE"]) == 3
    assert stack.client.delete(path).status == 204
    assert stack.client.get(path).status == 404


def test_modify_information(stack: Stack, world: World) -> None:
    instance = stack.create()
    path = f"/vnflcm/v2/vnf_instances/{instance}"
    first = stack.client.get(path)
    patch = {"vnfInstanceName": "renamed", "metadata": {"a": 1, "b": None}}
    answer = stack.client.patch(path, patch, if_match=first.etag).expect(202)
    record = stack.until(answer, "COMPLETED")
    assert record["operation"] == "MODIFY_INFO"
    assert record["changedInfo"] == {"vnfInstanceName": "renamed", "metadata": {"a": 1}}
    shown = stack.client.get(path)
    assert shown.body["vnfInstanceName"] == "renamed"
    assert shown.etag != first.etag
    assert stack.client.patch(path, {"vnfInstanceName": "late"}, if_match=first.etag).status == 412
    assert stack.client.patch(path, {"vnfInstanceName": None}).status == 202
    assert "vnfInstanceName" not in stack.instance(instance)


def test_vnfd_id_can_be_patched_only_for_other_images(stack: Stack, world: World) -> None:
    instance = stack.create()
    path = f"/vnflcm/v2/vnf_instances/{instance}"
    stack.until(stack.client.patch(path, {"vnfdId": NEW}), "COMPLETED")
    assert stack.instance(instance)["vnfSoftwareVersion"] == "2.0.0"
    other = "11111111-0000-4000-8000-000000000003"
    world.descriptors[other] = descriptor(other, "3.0.0", aspects={})
    answer = stack.client.patch(path, {"vnfdId": other})
    assert answer.status == 409
    assert stack.instance(instance)["vnfdId"] == NEW


def test_two_subscribers_hear_the_same_story(stack: Stack, world: World) -> None:
    stack.subscribe("full")
    stack.subscribe("short", verbosity="SHORT", filter=ONLY_CHANGES)
    world.refusing["full"] = 1
    instance = stack.instantiate()
    record = stack.until(stack.change(instance), "COMPLETED")
    eventually(lambda: len(world.received.get("short", [])) == 3)
    eventually(lambda: len(world.received["full"]) == 8)
    short = world.received["short"]
    states = [(n["notificationStatus"], n["operationState"]) for n in short]
    assert states == [("START", "STARTING"), ("RESULT", "PROCESSING"), ("RESULT", "COMPLETED")]
    assert "affectedVnfcs" not in short[-1]
    assert short[-1]["vnfLcmOpOccId"] == record["id"]
    full = world.received["full"]
    assert full[0]["id"] == full[1]["id"]
    change = [n for n in full if n.get("operation") == "CHANGE_VNFPKG"]
    assert [n["operationState"] for n in change] == ["STARTING", "PROCESSING", "COMPLETED"]
    assert len(change[-1]["affectedVnfcs"]) == 4
    assert change[-1]["modificationsTriggeredByVnfPkgChange"]["vnfdId"] == NEW
    assert [n["id"] for n in change] == [n["id"] for n in short]
    kinds = {n["notificationType"] for n in full}
    assert kinds == {"VnfIdentifierCreationNotification", "VnfLcmOperationOccurrenceNotification"}
