"""What a VNF instance is made of: external links, VNFCs, connection points, scale levels (SOL003 4.4.1, 5.5.3)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from nfvcert.sol.common import (
    InstantiationState,
    KeyValuePairs,
    Link,
    ResourceHandle,
    SolModel,
    SolRequest,
    VnfOperationalState,
)


class IpAddresses(SolRequest):
    """Addresses of one type (SOL003 4.4.1.10c)."""

    type: Literal["IPV4", "IPV6"] = "IPV4"
    fixedAddresses: list[str] | None = None
    numDynamicAddresses: int | None = Field(default=None, ge=0)
    subnetId: str | None = None


class IpOverEthernet(SolRequest):
    """Asked-for addresses of a connection point (SOL003 4.4.1.10c)."""

    macAddress: str | None = None
    segmentationId: str | None = None
    ipAddresses: list[IpAddresses] | None = None


class CpProtocolData(SolRequest):
    """Protocol data of a connection point (SOL003 4.4.1.10b)."""

    layerProtocol: Literal["IP_OVER_ETHERNET", "IP_FOR_VIRTUAL_CP"] = "IP_OVER_ETHERNET"
    ipOverEthernet: IpOverEthernet | None = None


class VnfExtCpConfig(SolRequest):
    """Configuration of one instance of an external connection point (SOL003 4.4.1.10a)."""

    parentCpConfigId: str | None = None
    linkPortId: str | None = None
    cpProtocolData: list[CpProtocolData] | None = None


class VnfExtCpData(SolRequest):
    """Configuration of the instances of one external CPD (SOL003 4.4.1.10)."""

    cpdId: str = Field(min_length=1)
    cpConfig: dict[str, VnfExtCpConfig | None] = Field(default_factory=dict)


class ExtVirtualLinkData(SolRequest):
    """An external virtual link to connect to (SOL003 4.4.1.11); `resourceId` is the network's id in the VIM."""

    id: str = Field(min_length=1)
    vimConnectionId: str | None = None
    resourceProviderId: str | None = None
    resourceId: str = Field(min_length=1)
    extCps: list[VnfExtCpData] = Field(default_factory=list)
    extLinkPorts: list[dict[str, Any]] | None = None


class VimConnectionInfo(SolRequest):
    """How to reach a VIM (SOL003 4.4.1.6)."""

    vimId: str | None = None
    vimType: str
    interfaceInfo: KeyValuePairs | None = None
    accessInfo: KeyValuePairs | None = None
    extra: KeyValuePairs | None = None


class IpAddressInfo(SolModel):
    """Addresses that a connection point has (SOL003 4.4.1.17)."""

    type: Literal["IPV4", "IPV6"] = "IPV4"
    addresses: list[str] | None = None
    isDynamic: bool | None = None
    subnetId: str | None = None


class IpOverEthernetInfo(SolModel):
    """Link layer and network addresses of a connection point (SOL003 4.4.1.17)."""

    macAddress: str | None = None
    ipAddresses: list[IpAddressInfo] | None = None


class CpProtocolInfo(SolModel):
    """Protocol information of a connection point (SOL003 4.4.1.16)."""

    layerProtocol: str = "IP_OVER_ETHERNET"
    ipOverEthernet: IpOverEthernetInfo | None = None


class VnfcCpInfo(SolModel):
    """A connection point of a VNFC (SOL003 5.5.3.5)."""

    id: str
    cpdId: str
    vnfExtCpId: str | None = None
    vnfLinkPortId: str | None = None
    cpProtocolInfo: list[CpProtocolInfo] | None = None
    metadata: KeyValuePairs | None = None


class VnfcResourceInfo(SolModel):
    """The compute resource of a VNFC (SOL003 5.5.3.5).

    `vnfdId` names the descriptor which this VNFC was made from; it differs from the instance while a change of package
    is going on, and after one was given up.
    """

    id: str
    vduId: str
    vnfdId: str | None = None
    computeResource: ResourceHandle
    storageResourceIds: list[str] | None = None
    reservationId: str | None = None
    vnfcCpInfo: list[VnfcCpInfo] | None = None
    metadata: KeyValuePairs | None = None


class VnfcInfo(SolModel):
    """A VNFC (SOL003 5.5.3.23); here its id is the one of its resource information."""

    id: str
    vduId: str
    vnfcResourceInfoId: str | None = None
    vnfcState: VnfOperationalState = VnfOperationalState.STARTED
    vnfcConfigurableProperties: KeyValuePairs | None = None


class ScaleInfo(SolModel):
    """Scale level of an aspect (SOL003 5.5.3.4)."""

    aspectId: str
    vnfdId: str | None = None
    scaleLevel: int


class LinkPort(SolModel):
    """A port of a virtual link (SOL003 5.5.3.8)."""

    id: str
    resourceHandle: ResourceHandle
    cpInstanceId: str | None = None
    cpInstanceType: str | None = None


class VnfVirtualLinkResourceInfo(SolModel):
    """A virtual link inside the VNF (SOL003 5.5.3.6)."""

    id: str
    vnfVirtualLinkDescId: str
    vnfdId: str | None = None
    networkResource: ResourceHandle
    vnfLinkPorts: list[LinkPort] | None = None


class ExtVirtualLinkInfo(SolModel):
    """An external virtual link the VNF is connected to (SOL003 5.5.3.2)."""

    id: str
    resourceHandle: ResourceHandle
    extLinkPorts: list[LinkPort] | None = None
    currentVnfExtCpData: list[dict[str, Any]] | None = None


class VnfExtCpInfo(SolModel):
    """An external connection point (SOL003 5.5.3.9)."""

    id: str
    cpdId: str
    cpConfigId: str = "1"
    vnfdId: str | None = None
    cpProtocolInfo: list[CpProtocolInfo] | None = None
    extLinkPortId: str | None = None
    associatedVnfcCpId: str | None = None
    metadata: KeyValuePairs | None = None


class InstantiatedVnfInfo(SolModel):
    """What an instantiated VNF consists of (SOL003 5.5.2.2)."""

    flavourId: str
    vnfState: VnfOperationalState = VnfOperationalState.STARTED
    scaleStatus: list[ScaleInfo] | None = None
    maxScaleLevels: list[ScaleInfo] | None = None
    extCpInfo: list[VnfExtCpInfo] = Field(default_factory=list)
    extVirtualLinkInfo: list[ExtVirtualLinkInfo] | None = None
    vnfcResourceInfo: list[VnfcResourceInfo] | None = None
    vnfVirtualLinkResourceInfo: list[VnfVirtualLinkResourceInfo] | None = None
    vnfcInfo: list[VnfcInfo] | None = None


class VnfInstance(SolModel):
    """A VNF instance (SOL003 5.5.2.2)."""

    id: str
    vnfInstanceName: str | None = None
    vnfInstanceDescription: str | None = None
    vnfdId: str
    vnfProvider: str
    vnfProductName: str
    vnfSoftwareVersion: str
    vnfdVersion: str
    vnfConfigurableProperties: KeyValuePairs | None = None
    vimConnectionInfo: dict[str, Any] | None = None
    instantiationState: InstantiationState
    instantiatedVnfInfo: InstantiatedVnfInfo | None = None
    metadata: KeyValuePairs | None = None
    extensions: KeyValuePairs | None = None
    links: dict[str, Link] | None = Field(default=None, alias="_links")
