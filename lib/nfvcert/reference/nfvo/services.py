"""Network service resources (SOL005 6.4.2, 6.4.3)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from nfvcert.reference.common.problem import Problem, not_found
from nfvcert.reference.common.store import Document, Store
from nfvcert.reference.nfvo.descriptors import SERVICE_KIND, Descriptors
from nfvcert.reference.nfvo.mirror import Mirror
from nfvcert.reference.nfvo.service_notices import CREATION, DELETION, ServiceNotices
from nfvcert.sol.nslcm import API_PATH, CreateNsRequest, NsState

PATH = f"{API_PATH}/ns_instances"
TASKS = {NsState.NOT_INSTANTIATED: ("instantiate",), NsState.INSTANTIATED: ("update", "terminate")}

Body = dict[str, Any]


class Services:
    """All services; a document has the attributes of NsInstance and ``vnfs`` (VNF instance and profile each)."""

    def __init__(
        self, store: Store, descriptors: Descriptors, mirror: Mirror, notices: ServiceNotices, url: str
    ) -> None:
        self._store = store
        self._descriptors = descriptors
        self._mirror = mirror
        self._notices = notices
        self._url = url

    def create(self, request: CreateNsRequest) -> Document:
        """A service resource; 400 or 409 if the descriptor cannot be used."""
        descriptor = self._descriptors.usable(request.nsdId)
        identifier = str(uuid4())
        body = {
            "nsInstanceName": request.nsName,
            "nsInstanceDescription": request.nsDescription,
            "nsdId": request.nsdId,
            "nsdInfoId": descriptor.id,
            "nsState": NsState.NOT_INSTANTIATED,
            "vnfs": [],
        }
        with self._store.transaction():
            self._store.insert(SERVICE_KIND, identifier, body)
            self._notices.service(CREATION, self.about(identifier))
        return self.find(identifier)

    def find(self, identifier: str) -> Document:
        """The service, or the problem 404."""
        found = self._store.get(SERVICE_KIND, identifier)
        if found is None:
            raise not_found("NS instance", identifier)
        return found

    def all(self) -> list[Document]:
        """All services in the order in which they were created."""
        return self._store.list(SERVICE_KIND)

    def of_vnf(self, instance: str) -> Document | None:
        """The service that a VNF instance belongs to."""
        return next((found for found in self.all() if instance in self.vnf_ids(found)), None)

    @staticmethod
    def vnf_ids(document: Document) -> list[str]:
        """The VNF instances of a service."""
        return [str(vnf["vnfInstanceId"]) for vnf in document.body["vnfs"]]

    def about(self, identifier: str) -> Body:
        """What subscription filters look at: ``id``, ``nsdId``, ``nsInstanceName``, ``vnfdIds``."""
        document = self.find(identifier)
        shown = (self._mirror.instance(instance) for instance in self.vnf_ids(document))
        return {
            "id": identifier,
            "nsdId": document.body["nsdId"],
            "nsInstanceName": document.body["nsInstanceName"],
            "vnfdIds": [vnf["vnfdId"] for vnf in shown if vnf],
        }

    def change(self, identifier: str, **values: Any) -> None:
        """Set attributes of a service."""
        document = self.find(identifier)
        self._store.put(SERVICE_KIND, identifier, document.body | values)

    def add_vnf(self, identifier: str, instance: str, profile: str) -> None:
        """A VNF instance became part of a service."""
        vnfs = self.find(identifier).body["vnfs"]
        self.change(identifier, vnfs=[*vnfs, {"vnfInstanceId": instance, "vnfProfileId": profile}])

    def drop_vnf(self, identifier: str, instance: str) -> None:
        """A VNF instance is no part of a service any more."""
        vnfs = self.find(identifier).body["vnfs"]
        self.change(identifier, vnfs=[vnf for vnf in vnfs if vnf["vnfInstanceId"] != instance])

    def require(self, document: Document, state: NsState) -> None:
        """Raise 409 unless the service is in that state."""
        if document.body["nsState"] != state:
            raise Problem(409, f"the NS instance is {document.body['nsState']}")

    def delete(self, identifier: str) -> None:
        """Remove a service that has no resources; 409 if it has."""
        with self._store.transaction():
            document = self.find(identifier)
            self.require(document, NsState.NOT_INSTANTIATED)
            about = self.about(identifier)
            self._store.delete(SERVICE_KIND, identifier)
            self._notices.service(DELETION, about)

    def uri(self, identifier: str) -> str:
        """The URI of a service."""
        return f"{self._url}{PATH}/{identifier}"

    def shown(self, document: Document) -> Body:
        """NsInstance, with its VNF instances as they are known now."""
        uri = self.uri(document.id)
        body = {name: value for name, value in document.body.items() if name != "vnfs"}
        vnfs = (self._mirror.instance(instance) for instance in self.vnf_ids(document))
        tasks = {task: {"href": f"{uri}/{task}"} for task in TASKS[NsState(body["nsState"])]}
        return {
            "id": document.id,
            **body,
            "vnfInstance": [vnf for vnf in vnfs if vnf],
            "_links": {"self": {"href": uri}, **tasks},
        }
