"""Configuration of a reference component: one JSON file, checked before anything starts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nfvcert.errors import UsageError


class ComponentConfig(BaseModel):
    """Keys which every component has; components derive from it and add ``peers`` and their own.

    Attributes:
        name: name in logs.
        host, port: where to listen.
        public_url: root of the URIs that the component puts into Location, links and callbacks; may be a proxy's.
        database_url: SQLAlchemy URL; by default a SQLite file in `state_dir`.
        state_dir: directory for the component's files.
        log_file: log there in place of standard error.
        log_level: name of a level of ``logging``.
        page_size: documents per page of a collection.
        die_with_parent: ask the kernel to kill the component when the process that started it ends.
    """

    model_config = ConfigDict(extra="forbid")

    name: str
    host: str = "127.0.0.1"
    port: int = Field(ge=1, le=65535)
    public_url: str = ""
    database_url: str = ""
    state_dir: Path = Path()
    log_file: str = ""
    log_level: str = "INFO"
    page_size: int = Field(default=50, ge=1)
    die_with_parent: bool = True

    @property
    def url(self) -> str:
        """The public URL without a slash at its end."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def database(self) -> str:
        """The database URL with its default."""
        return self.database_url or f"sqlite:///{self.state_dir / (self.name + '.sqlite')}"


C = TypeVar("C", bound=ComponentConfig)


def load_config(path: str | Path, model: type[C]) -> C:
    """Read and check a configuration file.

    Raises:
        UsageError: the file cannot be read, is not JSON, or has wrong keys; each wrong key is named.
    """
    file = Path(path)
    try:
        return model.model_validate(json.loads(file.read_text()))
    except OSError as error:
        raise UsageError("the configuration cannot be read", where=str(file), found=error.strerror or "") from error
    except json.JSONDecodeError as error:
        raise UsageError("the configuration is not JSON", where=f"{file}:{error.lineno}", found=error.msg) from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise UsageError("the configuration is wrong", where=str(file), found=faults) from error
