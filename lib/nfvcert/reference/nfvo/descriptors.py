"""NS descriptor resources (SOL005 5.4)."""

from __future__ import annotations

import zipfile
from dataclasses import asdict
from typing import Any
from uuid import uuid4

from nfvcert.drop.archive import Archive
from nfvcert.drop.findings import fault, finding_of
from nfvcert.drop.toscameta import PATH as META_PATH
from nfvcert.drop.toscameta import parse_meta
from nfvcert.errors import DropError
from nfvcert.reference.common.problem import Problem, not_found
from nfvcert.reference.common.resources import merge_patch
from nfvcert.reference.common.store import Document, Store
from nfvcert.reference.nfvo.nsd_read import Nsd, VnfProfile, read_nsd
from nfvcert.reference.nfvo.package_info import failure
from nfvcert.reference.nfvo.packages import Packages
from nfvcert.sol.nsd import API_PATH, NsdOnboardingState, NsdOperationalState, NsdUsageState

KIND = "ns-descriptor"
PATH = f"{API_PATH}/ns_descriptors"
SERVICE_KIND = "ns-instance"


class Descriptors:
    """All NS descriptors; a document has ``info``, ``content`` (text of the file) and ``nsd`` (what it says)."""

    def __init__(self, store: Store, packages: Packages, url: str) -> None:
        self._store = store
        self._packages = packages
        self._url = url

    def create(self, user_data: dict[str, Any] | None) -> Document:
        """A descriptor resource without content."""
        identifier = str(uuid4())
        info: dict[str, Any] = {
            "nsdOnboardingState": NsdOnboardingState.CREATED,
            "nsdOperationalState": NsdOperationalState.DISABLED,
        }
        if user_data:
            info["userDefinedData"] = user_data
        self._store.insert(KIND, identifier, {"info": info, "content": None, "nsd": None})
        return self.find(identifier)

    def find(self, identifier: str) -> Document:
        """The descriptor, or the problem 404."""
        found = self._store.get(KIND, identifier)
        if found is None:
            raise not_found("NS descriptor", identifier)
        return found

    def all(self) -> list[Document]:
        """All descriptors in the order in which they were created."""
        return self._store.list(KIND)

    def usable(self, nsd_id: str) -> Document:
        """The enabled descriptor with this nsdId that was onboarded last, or the problem 400 or 409."""
        found = [document for document in self.all() if document.body["info"].get("nsdId") == nsd_id]
        if not found:
            raise Problem(400, f"there is no onboarded NS descriptor with nsdId {nsd_id}")
        enabled = [one for one in found if one.body["info"]["nsdOperationalState"] == NsdOperationalState.ENABLED]
        if not enabled:
            raise Problem(409, f"the NS descriptor with nsdId {nsd_id} is not enabled")
        return enabled[-1]

    def nsd(self, identifier: str) -> Nsd:
        """What an onboarded descriptor says."""
        body = self.find(identifier).body["nsd"]
        return Nsd(**body | {"profiles": tuple(VnfProfile(**profile) for profile in body["profiles"])})

    def uri(self, identifier: str) -> str:
        """The URI of a descriptor."""
        return f"{self._url}{PATH}/{identifier}"

    def shown(self, document: Document) -> dict[str, Any]:
        """NsdInfo."""
        uri = self.uri(document.id)
        used = NsdUsageState.IN_USE if self._services(document.id) else NsdUsageState.NOT_IN_USE
        links = {"self": {"href": uri}, "nsd_content": {"href": f"{uri}/nsd_content"}}
        return {"id": document.id} | document.body["info"] | {"nsdUsageState": used, "_links": links}

    def upload(self, identifier: str, data: bytes) -> None:
        """Onboard the content of a descriptor: a TOSCA file, or a ZIP archive with one.

        A descriptor that cannot be used leaves the resource in ERROR with onboardingFailureDetails.

        Raises:
            Problem: 409, it has content.
        """
        document = self.find(identifier)
        state = document.body["info"]["nsdOnboardingState"]
        if state != NsdOnboardingState.CREATED:
            raise Problem(409, f"the descriptor takes no content while nsdOnboardingState is {state}")
        try:
            text = _entry(data) if zipfile_like(data) else data
            nsd = read_nsd(text, "nsd")
        except DropError as error:
            states = {
                "nsdOnboardingState": NsdOnboardingState.ERROR,
                "onboardingFailureDetails": failure([finding_of(error)]),
            }
            self._store.put(KIND, identifier, document.body | {"info": document.body["info"] | states})
            return
        packages = [found.id for profile in nsd.profiles for found in self._packages.of_vnfd(profile.vnfd_id)]
        info = document.body["info"] | {
            "nsdId": nsd.nsd_id,
            "nsdName": nsd.name,
            "nsdVersion": nsd.version,
            "nsdDesigner": nsd.designer,
            "nsdInvariantId": nsd.invariant_id,
            "vnfPkgIds": list(dict.fromkeys(packages)),
            "nsdOnboardingState": NsdOnboardingState.ONBOARDED,
            "nsdOperationalState": NsdOperationalState.ENABLED,
        }
        content = text.decode("utf-8", "replace")
        self._store.put(KIND, identifier, {"info": info, "content": content, "nsd": asdict(nsd)})

    def modify(self, identifier: str, patch: dict[str, Any]) -> dict[str, Any]:
        """Apply a merge patch of nsdOperationalState and userDefinedData; returns what changed."""
        document = self.find(identifier)
        info = document.body["info"]
        wanted = patch.get("nsdOperationalState")
        if wanted is not None and info["nsdOnboardingState"] != NsdOnboardingState.ONBOARDED:
            raise Problem(409, f"a descriptor in {info['nsdOnboardingState']} cannot be {wanted}")
        if wanted is not None and info["nsdOperationalState"] == wanted:
            raise Problem(409, f"the descriptor is {wanted} already")
        changed = merge_patch(info, patch)
        self._store.put(KIND, identifier, document.body | {"info": changed})
        return {name: changed[name] for name in patch if name in changed}

    def delete(self, identifier: str) -> None:
        """Remove a descriptor; 409 while it is enabled or services are based on it."""
        document = self.find(identifier)
        if document.body["info"]["nsdOperationalState"] == NsdOperationalState.ENABLED:
            raise Problem(409, "the NS descriptor cannot be deleted while it is ENABLED")
        if self._services(identifier):
            raise Problem(409, "the NS descriptor cannot be deleted while it is IN_USE")
        self._store.delete(KIND, identifier)

    def _services(self, identifier: str) -> bool:
        return any(document.body["nsdInfoId"] == identifier for document in self._store.list(SERVICE_KIND))


def zipfile_like(data: bytes) -> bool:
    """The bytes begin as a ZIP archive does."""
    return data.startswith(zipfile.stringFileHeader)  # type: ignore[attr-defined]


def _entry(data: bytes) -> bytes:
    """The entry definitions of an NSD archive (SOL007)."""
    archive = Archive(data, name="nsd")
    archive.raise_problems()
    if META_PATH in archive:
        meta, _ = parse_meta(archive.read(META_PATH, archive.limits.document), archive.limits.name)
        return archive.read(meta.definitions, archive.limits.document)
    roots = [name for name in archive.names if "/" not in name and name.endswith((".yaml", ".yml"))]
    if len(roots) != 1:
        raise fault("csar.meta", "SOL007 4.1", META_PATH, "the file is missing, and so is one YAML file").error()
    return archive.read(roots[0], archive.limits.document)
