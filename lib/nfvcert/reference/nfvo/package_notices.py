"""Notifications about VNF packages: who wants one and what it holds (SOL005 9.5.2.8, 9.5.2.9)."""

from __future__ import annotations

from nfvcert.reference.common.product_filter import products_wanted
from nfvcert.reference.nfvo.notices import Body, Notices
from nfvcert.sol.vnfpkgm import API_PATH, PackageChangeType

ONBOARDING = "VnfPackageOnboardingNotification"
CHANGE = "VnfPackageChangeNotification"


class PackageNotices(Notices):
    """Queues notifications about packages."""

    def onboarded(self, identifier: str, info: Body) -> None:
        """A package was onboarded."""
        self._tell_of(ONBOARDING, identifier, info, {"vnfmInfo": info.get("vnfmInfo", [])})

    def changed(self, identifier: str, info: Body, change: PackageChangeType) -> None:
        """A package was enabled, disabled or deleted."""
        state = {"operationalState": info["operationalState"]} if change is PackageChangeType.OP_STATE_CHANGE else {}
        self._tell_of(CHANGE, identifier, info, {"changeType": change} | state)

    def _tell_of(self, kind: str, identifier: str, info: Body, further: Body) -> None:
        content = {"vnfPkgId": identifier, "vnfdId": info["vnfdId"], **further}
        self._tell(
            kind,
            lambda given: wanted(given, kind, identifier, info),
            lambda _: content,
            {"vnfPackage": f"{API_PATH}/vnf_packages/{identifier}"},
        )


def wanted(given: Body, kind: str, identifier: str, info: Body) -> bool:
    """Whether a subscription's filter lets a notification through; an absent part does not restrict."""
    alternatives = (
        ("notificationTypes", kind),
        ("vnfPkgId", identifier),
        ("vnfdId", info["vnfdId"]),
        ("operationalState", info["operationalState"]),
        ("usageState", info["usageState"]),
    )
    if any(value not in given.get(name, [value]) for name, value in alternatives):
        return False
    if "vnfmInfo" in given and not set(given["vnfmInfo"]) & set(info.get("vnfmInfo", [])):
        return False
    return products_wanted(given.get("vnfProductsFromProviders"), info)
