"""What a VNF descriptor says, as far as life cycle management and certification use it (SOL001 6, IFA011 7.1)."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Flavour(_Model):
    """A deployment flavour."""

    id: str
    description: str = ""


class SoftwareImage(_Model):
    """A software image; ``path`` is its archive member, ``checksum`` in lower-case hex, ``size`` in bytes."""

    name: str
    version: str = ""
    path: str
    algorithm: str
    checksum: str
    size: int = 0
    container_format: str = ""
    disk_format: str = ""
    min_disk_gib: float = 0
    min_ram_mib: float = 0


class Port(_Model):
    """A connection point of a VNFC; ``network`` is the virtual link on which it lies, ``order`` its place (from 0)."""

    name: str
    network: str
    order: int
    management: bool = False
    address_role: str = ""
    fixed_ip: str | None = None


class NfviMaintenance(_Model):
    """What a VNFC tolerates while the infrastructure is changed (NfviMaintenanceInfo); times in seconds."""

    impact_notification_lead_time_s: float
    impact_mitigation_requested: bool = False
    supported_migration_types: tuple[str, ...] = ()
    max_undetectable_interruption_time_s: float | None = None
    min_recovery_time_between_impacts_s: float | None = None
    max_number_of_impacted_instances: int | None = None
    min_number_of_preserved_instances: int | None = None


class Vdu(_Model):
    """A type of VNFC: its image, resources, ports in order, and how many of it there are."""

    name: str
    description: str = ""
    image: str = ""
    vcpus: int
    memory_mib: float
    storage_gib: float = 0
    ports: tuple[Port, ...] = ()
    min_instances: int
    max_instances: int
    initial_instances: int
    boot_data: dict[str, str] = Field(default_factory=dict)
    nfvi_maintenance: NfviMaintenance | None = None

    def port(self, network: str) -> Port | None:
        """The first port on a network."""
        return next((port for port in self.ports if port.network == network), None)


class ExtCp(_Model):
    """An external connection point and the virtual link that it exposes."""

    name: str
    network: str
    description: str = ""


class VirtualLink(_Model):
    """A network; ``external`` when an external connection point exposes it to the network service."""

    name: str
    cidr: str | None = None
    external: bool = False
    description: str = ""


class ScalingAspect(_Model):
    """A way to scale; ``deltas``: instances added per step for each VDU, ``initial_level``: the level at the start."""

    name: str
    description: str = ""
    max_scale_level: int
    initial_level: int = 0
    deltas: dict[str, int] = Field(default_factory=dict)


class AffinityRule(_Model):
    """VNFCs to be kept together or apart; a ``soft`` rule is a preference."""

    name: str
    kind: Literal["affinity", "anti_affinity"]
    scope: str
    targets: tuple[str, ...]
    soft: bool = False


class ComponentMapping(_Model):
    """A component of the source descriptor and what it becomes."""

    component_type: str
    source_id: str
    destination_id: str
    description: str = ""


class Selector(_Model):
    """Descriptors between which a change is described."""

    source_descriptor_id: str
    destination_descriptor_id: str
    source_flavour_id: str


class PackageChange(_Model):
    """A VnfPackageChange policy."""

    name: str
    selectors: tuple[Selector, ...]
    modification_qualifier: Literal["up", "down"]
    description: str = ""
    component_mappings: tuple[ComponentMapping, ...] = ()
    destination_flavour_id: str
    actions: tuple[str, ...] = ()


class CoordinationAction(_Model):
    """A coordination action and the LCM operations during which it happens."""

    name: str
    operations: tuple[str, ...] = ()


class Vnfd(_Model):
    """A VNF descriptor; ``modification_metadata`` is the member that holds the software modification metadata."""

    vnfd_id: str
    descriptor_version: str
    provider: str
    product_name: str
    software_version: str
    product_info_name: str = ""
    vnfm_info: tuple[str, ...] = ()
    flavours: tuple[Flavour, ...]
    vdus: tuple[Vdu, ...]
    images: dict[str, SoftwareImage] = Field(default_factory=dict)
    ext_cps: tuple[ExtCp, ...] = ()
    virtual_links: tuple[VirtualLink, ...] = ()
    scaling_aspects: tuple[ScalingAspect, ...] = ()
    affinity_rules: tuple[AffinityRule, ...] = ()
    package_changes: tuple[PackageChange, ...] = ()
    coordination_actions: tuple[CoordinationAction, ...] = ()
    modification_metadata: str | None = None

    def vdu(self, name: str) -> Vdu:
        """A VDU by name.

        Raises:
            KeyError: there is none.
        """
        for vdu in self.vdus:
            if vdu.name == name:
                return vdu
        raise KeyError(name)

    def virtual_link(self, name: str) -> VirtualLink:
        """A virtual link by name.

        Raises:
            KeyError: there is none.
        """
        for link in self.virtual_links:
            if link.name == name:
                return link
        raise KeyError(name)

    def change_from(self, vnfd_id: str) -> PackageChange | None:
        """The change that leads from another descriptor to this one."""
        for change in self.package_changes:
            for selector in change.selectors:
                if (selector.source_descriptor_id, selector.destination_descriptor_id) == (vnfd_id, self.vnfd_id):
                    return change
        return None

    def coordinations_for(self, operation: str) -> list[str]:
        """Names of the coordination actions of an LCM operation."""
        return [action.name for action in self.coordination_actions if operation in action.operations]
