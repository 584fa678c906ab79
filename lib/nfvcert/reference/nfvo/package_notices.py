"""Notifications about VNF packages: who wants one and what it holds (SOL005 9.5.2.8, 9.5.2.9)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from nfvcert.reference.common.notifier import Notifier
from nfvcert.reference.common.subscriptions import Subscriptions
from nfvcert.sol.common import now
from nfvcert.sol.vnfpkgm import API_PATH, PackageChangeType

ONBOARDING = "VnfPackageOnboardingNotification"
CHANGE = "VnfPackageChangeNotification"

Info = dict[str, Any]


class PackageNotices:
    """Queues notifications about packages; calls join the store transaction of the caller."""

    def __init__(self, subscriptions: Subscriptions, notifier: Notifier, url: str) -> None:
        self.subscriptions = subscriptions
        self._notifier = notifier
        self._url = url

    def onboarded(self, identifier: str, info: Info) -> None:
        """A package was onboarded."""
        self._tell(ONBOARDING, identifier, info, {"vnfmInfo": info.get("vnfmInfo", [])})

    def changed(self, identifier: str, info: Info, change: PackageChangeType) -> None:
        """A package was enabled, disabled or deleted."""
        state = {"operationalState": info["operationalState"]} if change is PackageChangeType.OP_STATE_CHANGE else {}
        self._tell(CHANGE, identifier, info, {"changeType": change} | state)

    def _tell(self, kind: str, identifier: str, info: Info, further: Info) -> None:
        notice = str(uuid4())
        moment = now()
        for found in self.subscriptions.matching(lambda given: wanted(given, kind, identifier, info)):
            body = {
                "id": notice,
                "notificationType": kind,
                "subscriptionId": found.id,
                "timeStamp": moment,
                "vnfPkgId": identifier,
                "vnfdId": info["vnfdId"],
                **further,
                "_links": {
                    "vnfPackage": {"href": f"{self._url}{API_PATH}/vnf_packages/{identifier}"},
                    "subscription": {"href": self.subscriptions.uri(found.id)},
                },
            }
            self._notifier.enqueue(found.id, found.body, body)


def wanted(given: Info, kind: str, identifier: str, info: Info) -> bool:
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
    providers = given.get("vnfProductsFromProviders")
    return providers is None or any(_provider_wanted(provider, info) for provider in providers)


def _provider_wanted(given: Info, info: Info) -> bool:
    products = given.get("vnfProducts")
    return given["vnfProvider"] == info["vnfProvider"] and (
        products is None or any(_product_wanted(product, info) for product in products)
    )


def _product_wanted(given: Info, info: Info) -> bool:
    versions = given.get("versions")
    return given["vnfProductName"] == info["vnfProductName"] and (
        versions is None
        or any(
            version["vnfSoftwareVersion"] == info["vnfSoftwareVersion"]
            and info["vnfdVersion"] in version.get("vnfdVersions", [info["vnfdVersion"]])
            for version in versions
        )
    )
