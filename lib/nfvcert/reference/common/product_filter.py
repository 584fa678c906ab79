"""The part of subscription filters that names providers, products and versions.

VnfInstanceSubscriptionFilter of SOL003 and PkgmNotificationsFilter of SOL005 have it alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def products_wanted(given: Sequence[Mapping[str, Any]] | None, about: Mapping[str, Any]) -> bool:
    """Whether ``vnfProductsFromProviders`` of a filter lets through what is told of a VNF or its package.

    Args:
        given: the attribute; None: it is absent and does not restrict.
        about: ``vnfProvider``, ``vnfProductName``, ``vnfSoftwareVersion`` and ``vnfdVersion``.
    """
    return given is None or any(_provider_wanted(provider, about) for provider in given)


def _provider_wanted(given: Mapping[str, Any], about: Mapping[str, Any]) -> bool:
    products = given.get("vnfProducts")
    return given["vnfProvider"] == about["vnfProvider"] and (
        products is None or any(_product_wanted(product, about) for product in products)
    )


def _product_wanted(given: Mapping[str, Any], about: Mapping[str, Any]) -> bool:
    versions = given.get("versions")
    return given["vnfProductName"] == about["vnfProductName"] and (
        versions is None
        or any(
            version["vnfSoftwareVersion"] == about["vnfSoftwareVersion"]
            and about["vnfdVersion"] in version.get("vnfdVersions", [about["vnfdVersion"]])
            for version in versions
        )
    )
