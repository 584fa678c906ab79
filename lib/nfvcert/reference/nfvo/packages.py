"""VNF package resources: their documents, their states, and where their content is."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

from nfvcert.reference.common.problem import Problem, not_found
from nfvcert.reference.common.resources import merge_patch
from nfvcert.reference.common.store import Document, Store
from nfvcert.reference.nfvo.package_notices import PackageNotices
from nfvcert.sol.vnfpkgm import (
    API_PATH,
    PackageChangeType,
    PackageOnboardingState,
    PackageOperationalState,
    PackageUsageState,
)

KIND = "vnf-package"
PATH = f"{API_PATH}/vnf_packages"
_UNFINISHED = (PackageOnboardingState.UPLOADING, PackageOnboardingState.PROCESSING)


class Packages:
    """All VNF packages.

    A document has ``info`` (VnfPkgInfo without id and links) and, once onboarded, ``sizes`` (VDU -> resources).

    Args:
        store: keeps the documents.
        notices: told what happens to packages.
        directory: where contents are kept.
        url: the NFVO's public URL.
    """

    def __init__(self, store: Store, notices: PackageNotices, directory: Path, url: str) -> None:
        self.store = store
        self.notices = notices
        self.directory = directory
        self.url = url

    def create(self, user_data: dict[str, Any] | None) -> Document:
        """A package resource without content."""
        identifier = str(uuid4())
        info: dict[str, Any] = {
            "onboardingState": PackageOnboardingState.CREATED,
            "operationalState": PackageOperationalState.DISABLED,
            "usageState": PackageUsageState.NOT_IN_USE,
        }
        if user_data:
            info["userDefinedData"] = user_data
        self.store.insert(KIND, identifier, {"info": info})
        return self.find(identifier)

    def find(self, identifier: str) -> Document:
        """The package, or the problem 404."""
        found = self.store.get(KIND, identifier)
        if found is None:
            raise not_found("VNF package", identifier)
        return found

    def all(self) -> list[Document]:
        """All packages in the order in which they were created."""
        return self.store.list(KIND)

    def of_vnfd(self, vnfd_id: str) -> list[Document]:
        """The onboarded packages with this vnfdId."""
        return [found for found in self.all() if _onboarded(found) and found.body["info"]["vnfdId"] == vnfd_id]

    def usable(self, vnfd_id: str) -> Document | None:
        """The onboarded package with this vnfdId; an enabled one if there are several."""
        found = self.of_vnfd(vnfd_id)
        enabled = [one for one in found if one.body["info"]["operationalState"] == PackageOperationalState.ENABLED]
        return next(iter(enabled or found), None)

    def onboarded(self, vnfd_id: str) -> Document:
        """The onboarded package with this vnfdId, or the problem 404."""
        found = self.usable(vnfd_id)
        if found is None:
            raise not_found("onboarded VNF package with vnfdId", vnfd_id)
        return found

    def content(self, document: Document) -> Path:
        """The archive of an onboarded package.

        Raises:
            Problem: 409, there is no content to be read.
        """
        if not _onboarded(document):
            state = document.body["info"]["onboardingState"]
            raise Problem(409, f"the content cannot be read while onboardingState is {state}")
        path = self.place(document.id)
        if not path.is_file():
            raise Problem(409, f"the content of VNF package {document.id} cannot be read")
        return path

    def place(self, identifier: str) -> Path:
        """Where the archive of a package is."""
        return self.directory / f"{identifier}.csar"

    def uri(self, identifier: str) -> str:
        """The URI of a package."""
        return f"{self.url}{PATH}/{identifier}"

    def shown(self, document: Document) -> dict[str, Any]:
        """VnfPkgInfo."""
        uri = self.uri(document.id)
        links = {
            "self": {"href": uri},
            "vnfd": {"href": f"{uri}/vnfd"},
            "packageContent": {"href": f"{uri}/package_content"},
        }
        return {"id": document.id} | document.body["info"] | {"_links": links}

    def change(self, identifier: str, **info: Any) -> Document:
        """Set attributes of a package; those that are None are removed."""
        with self.store.transaction():
            document = self.find(identifier)
            changed = {name: value for name, value in (document.body["info"] | info).items() if value is not None}
            if changed != document.body["info"]:
                self.store.put(KIND, identifier, document.body | {"info": changed})
            return self.find(identifier)

    def set_sizes(self, identifier: str, sizes: dict[str, Any]) -> None:
        """Note what VNFCs of the package's VDUs use."""
        document = self.find(identifier)
        self.store.put(KIND, identifier, document.body | {"sizes": sizes})

    def modify(self, identifier: str, patch: dict[str, Any]) -> dict[str, Any]:
        """Apply a merge patch of operationalState and userDefinedData; returns what changed.

        Raises:
            Problem: 409 for an operational state that the package cannot get or has already.
        """
        with self.store.transaction():
            document = self.find(identifier)
            info = document.body["info"]
            wanted = patch.get("operationalState")
            if wanted is not None:
                _check_transition(info, wanted)
            self.store.put(KIND, identifier, document.body | {"info": merge_patch(info, patch)})
            if wanted is not None:
                self._tell_change(self.find(identifier), PackageChangeType.OP_STATE_CHANGE)
        changed = self.find(identifier).body["info"]
        return {name: changed[name] for name in patch if name in changed}

    def delete(self, identifier: str) -> None:
        """Remove a package.

        Raises:
            Problem: 409, it is enabled, in use, or about to be onboarded.
        """
        with self.store.transaction():
            document = self.find(identifier)
            info = document.body["info"]
            if info["onboardingState"] in _UNFINISHED:
                raise Problem(409, f"the package cannot be deleted while onboardingState is {info['onboardingState']}")
            if info["operationalState"] == PackageOperationalState.ENABLED:
                raise Problem(409, "the package cannot be deleted while it is ENABLED")
            if info["usageState"] == PackageUsageState.IN_USE:
                raise Problem(409, "the package cannot be deleted while it is IN_USE")
            self.store.delete(KIND, identifier)
            if _onboarded(document):
                self._tell_change(document, PackageChangeType.PKG_DELETE)
        self.place(identifier).unlink(missing_ok=True)

    def _tell_change(self, document: Document, change: PackageChangeType) -> None:
        self.notices.changed(document.id, document.body["info"], change)


def _onboarded(document: Document) -> bool:
    return bool(document.body["info"]["onboardingState"] == PackageOnboardingState.ONBOARDED)


def _check_transition(info: dict[str, Any], wanted: str) -> None:
    if info["onboardingState"] != PackageOnboardingState.ONBOARDED:
        raise Problem(409, f"a package whose onboardingState is {info['onboardingState']} cannot be {wanted}")
    if info["operationalState"] == wanted:
        raise Problem(409, f"the package is {wanted} already")
