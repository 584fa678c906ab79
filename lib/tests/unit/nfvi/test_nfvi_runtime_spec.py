from nfvcert.nfvi.agent.models import ContainerSpec, Limits
from nfvcert.nfvi.agent.runtime_spec import resources, runtime_spec

PROCESS = {"args": ["/bin/vnfc"], "env": ["PATH=/bin", "A=1"], "cwd": "/srv", "user": {"uid": 5, "gid": 6, "umask": 1}}


def _spec(spec: ContainerSpec) -> dict:
    return runtime_spec(
        spec, process=PROCESS, netns_path="/run/netns/x", cgroup="nfvcert/a/b", controllers=["cpu"], hostname="h"
    )


def test_the_process_is_that_of_the_image_and_the_request_adds_to_it() -> None:
    process = _spec(ContainerSpec(image="i", env={"A": "2", "B": "3"}))["process"]
    assert process["args"] == ["/bin/vnfc"]
    assert process["env"] == ["PATH=/bin", "A=2", "B=3"]
    assert process["cwd"] == "/srv"
    assert process["user"] == {"uid": 5, "gid": 6}
    assert process["noNewPrivileges"] is True


def test_a_container_gets_the_capabilities_asked_for_and_no_others() -> None:
    capabilities = _spec(ContainerSpec(image="i", capabilities=["CAP_NET_RAW"]))["process"]["capabilities"]
    assert set(map(tuple, capabilities.values())) == {("CAP_NET_RAW",)}
    assert len(capabilities) == 5


def test_a_container_has_every_namespace_of_its_own_and_joins_the_network() -> None:
    linux = _spec(ContainerSpec(image="i"))["linux"]
    assert {entry["type"] for entry in linux["namespaces"]} == {"pid", "ipc", "uts", "mount", "network"}
    assert {"type": "network", "path": "/run/netns/x"} in linux["namespaces"]
    assert linux["cgroupsPath"] == "/nfvcert/a/b"


def test_limits_are_set_as_far_as_the_machine_goes() -> None:
    limits = Limits(vcpus=0.5, memory_mib=64, pids=16)
    everything = resources(limits, ["cpu", "memory", "pids"])
    assert everything["cpu"] == {"period": 100_000, "quota": 50_000}
    assert everything["memory"] == {"limit": 64 << 20}
    assert everything["pids"] == {"limit": 16}
    assert set(resources(limits, [])) == {"devices"}
    assert set(resources(Limits(), ["cpu", "memory", "pids"])) == {"devices"}


def test_a_writable_root_is_only_given_when_asked_for() -> None:
    assert _spec(ContainerSpec(image="i"))["root"]["readonly"] is True
    assert _spec(ContainerSpec(image="i", readonly=False))["root"]["readonly"] is False
