"""From the drop reader's VNFD to what the VNFM needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from nfvcert.drop.vnfd import (
    AffinityRule,
    CoordinationAction,
    ExtCp,
    Flavour,
    Port,
    SoftwareImage,
    Vdu,
    VirtualLink,
    Vnfd,
)
from nfvcert.reference.common.problem import Problem
from nfvcert.reference.vnfm.csar import CsarReader, descriptor_of
from nfvcert.reference.vnfm.descriptor import AntiAffinity, ConnectionPoint


def vnfd(**changes: object) -> Vnfd:
    image = SoftwareImage(
        name="img", path="Files/img.tar", algorithm="sha-256", checksum="ab", container_format="DOCKER"
    )
    ports = (
        Port(name="w_out", network="external", order=1, fixed_ip="198.19.0.9"),
        Port(name="w_in", network="internal", order=0),
    )
    worker = Vdu(
        name="w",
        image="img",
        vcpus=2,
        memory_mib=63.6,
        ports=ports,
        min_instances=1,
        max_instances=3,
        initial_instances=2,
        boot_data={"key": "value"},
    )
    attributes: dict[str, object] = {
        "vnfd_id": "id",
        "descriptor_version": "1",
        "provider": "p",
        "product_name": "n",
        "software_version": "1",
        "flavours": (Flavour(id="default"),),
        "vdus": (worker,),
        "images": {"img": image},
        "ext_cps": (ExtCp(name="ext_out", network="external"),),
        "virtual_links": (VirtualLink(name="internal", cidr="10.0.0.0/8"), VirtualLink(name="external", external=True)),
        "affinity_rules": (
            AffinityRule(name="apart", kind="anti_affinity", scope="nfvi_node", targets=("w",), soft=True),
            AffinityRule(name="near", kind="affinity", scope="nfvi_node", targets=("w",)),
        ),
        "coordination_actions": (CoordinationAction(name="drain"),),
    }
    return Vnfd.model_validate(attributes | changes)


def test_descriptor_keeps_order_links_and_rules() -> None:
    found = descriptor_of(vnfd(), None)
    worker = found.vdus["w"]
    assert worker.connection_points == (
        ConnectionPoint("w_in", "internal"),
        ConnectionPoint("w_out", "external", "ext_out", "198.19.0.9"),
    )
    assert (worker.initial, worker.minimum, worker.maximum, worker.memory_mib) == (2, 1, 3, 64)
    assert worker.config == {"key": "value"}
    assert (worker.image.container_format, worker.image.disk_format) == ("docker", "raw")
    assert list(found.links) == ["internal"]
    assert found.anti_affinity == (AntiAffinity("apart", ("w",), True),)
    assert found.coordination == {"drain"}
    assert found.identity()["vnfdId"] == "id"


def test_only_images_may_differ_for_a_rebind() -> None:
    first = descriptor_of(vnfd(), None)
    image = SoftwareImage(name="img", path="Files/other.tar", algorithm="sha-256", checksum="cd")
    assert first.same_but_images(descriptor_of(vnfd(images={"img": image}, software_version="2"), None))
    assert not first.same_but_images(descriptor_of(vnfd(affinity_rules=()), None))


def test_unusable_packages_are_problems(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="no software image"):
        descriptor_of(vnfd(images={}), None)
    broken = tmp_path / "broken.csar"
    broken.write_bytes(b"not an archive")
    with pytest.raises(Problem) as caught:
        CsarReader(tmp_path).descriptor(broken)
    assert caught.value.status == 422
