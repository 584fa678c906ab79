from pathlib import Path

from nfvcert.nfvi.cgroups import ContainerGroup, Hierarchies, parse_mounts, runs

HYBRID = """\
31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
36 31 0:33 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
"""
UNIFIED = "31 23 0:28 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"


def test_the_hybrid_layout_is_version_1_with_a_bystander() -> None:
    found = parse_mounts(HYBRID)
    assert found.unified is None
    assert found.controllers["cpuacct"] == found.controllers["cpu"] == Path("/sys/fs/cgroup/cpu,cpuacct")
    assert found.controllers["memory"] == Path("/sys/fs/cgroup/memory")
    assert len(found.mount_points()) == 3


def test_the_unified_layout_is_version_2() -> None:
    found = parse_mounts(UNIFIED)
    assert found.unified == Path("/sys/fs/cgroup")
    assert found.mount_points() == [Path("/sys/fs/cgroup")]


def test_a_machine_without_control_groups_has_none() -> None:
    assert parse_mounts("").mount_points() == []
    assert parse_mounts("").usable() == []


def _files(place: Path, **values: str) -> None:
    place.mkdir(parents=True)
    for name, value in values.items():
        (place / name.replace("__", ".")).write_text(value)


def test_version_1_limits_and_usage_are_read_back(tmp_path: Path) -> None:
    mounted = Hierarchies(None, {name: tmp_path / name for name in ("cpu", "cpuacct", "memory", "pids", "freezer")})
    _files(tmp_path / "cpu/g", cpu__cfs_quota_us="50000\n", cpu__cfs_period_us="100000\n")
    _files(tmp_path / "cpuacct/g", cpuacct__usage="123\n")
    _files(tmp_path / "memory/g", memory__limit_in_bytes=str(64 << 20), memory__usage_in_bytes="4096\n")
    _files(tmp_path / "pids/g", pids__max="max\n")
    _files(tmp_path / "freezer/g", freezer__state="FROZEN\n")
    group = ContainerGroup(mounted, "g")
    assert group.limits() == {"vcpus": 0.5, "memory_mib": 64, "pids": None}
    assert group.usage() == (123, 4096)
    assert group.frozen()


def test_version_1_without_limits_says_none(tmp_path: Path) -> None:
    _files(tmp_path / "cpu/g", cpu__cfs_quota_us="-1\n", cpu__cfs_period_us="100000\n")
    _files(tmp_path / "memory/g", memory__limit_in_bytes="9223372036854771712\n")
    group = ContainerGroup(Hierarchies(None, {"cpu": tmp_path / "cpu", "memory": tmp_path / "memory"}), "g")
    assert group.limits() == {"vcpus": None, "memory_mib": None, "pids": None}
    assert group.usage() == (None, None)
    assert not group.freeze(True)


def test_version_2_limits_and_usage_are_read_back(tmp_path: Path) -> None:
    _files(
        tmp_path / "g",
        cpu__max="150000 100000\n",
        cpu__stat="usage_usec 7\nuser_usec 5\n",
        memory__max="max\n",
        memory__current="9\n",
        pids__max="16\n",
        cgroup__freeze="0\n",
    )
    group = ContainerGroup(Hierarchies(tmp_path, {}), "g")
    assert group.limits() == {"vcpus": 1.5, "memory_mib": None, "pids": 16}
    assert group.usage() == (7000, 9)
    assert not group.frozen()
    assert group.freeze(True) and group.frozen()


def test_runs_are_the_directories_below_our_own(tmp_path: Path) -> None:
    (tmp_path / "nfvcert" / "abc234" / "host1.c1").mkdir(parents=True)
    assert runs(Hierarchies(tmp_path, {})) == {"abc234"}


def test_directories_are_removed_from_the_bottom(tmp_path: Path) -> None:
    (tmp_path / "nfvcert/abc234/a/b").mkdir(parents=True)
    (tmp_path / "nfvcert/abc235").mkdir()
    removed = ContainerGroup(Hierarchies(tmp_path, {}), "nfvcert/abc234").remove()
    assert len(removed) == 3
    assert runs(Hierarchies(tmp_path, {})) == {"abc235"}
