"""How commands are boxed and limited; filled from the environment by the server, plain values here."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_settings import NoDecode

from artel.tools.sandbox.network.hosts import parse


def _readable(path: Path) -> Path:
    if not path.is_absolute() or path == Path("/"):
        raise ValueError("it has to be an absolute path below /")
    return path


class SandboxSettings(BaseModel):
    """What commands of agents may see and use."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mode: Literal["bubblewrap", "off", "host"] = Field(
        "bubblewrap",
        description="`off`: no commands; `host`: UNSAFE, without a box, with all that the server's user may.",
    )
    readable: tuple[Annotated[Path, AfterValidator(_readable)], ...] = Field(
        (), description="Folders outside the workspace that commands may read, such as toolchains."
    )
    env: dict[str, str] = Field(
        {}, description="Variables that commands get, such as PATH; they see them, so no secrets."
    )
    memory_mb: int = Field(2_048, ge=16, description="Memory of a process, and of a command altogether.")
    processes: int = Field(512, ge=4, description="Processes and threads of a command at once.")
    cpu_s: int = Field(600, ge=1, description="Processor time of a process.")
    open_files: int = Field(4_096, ge=16, description="Open files of a process.")
    file_mb: int = Field(1_024, ge=1, description="Size of a file that a command writes.")
    tmp_mb: int = Field(512, ge=1, description="Size of /tmp, of /dev/shm and of the home folder, each.")
    disk_free_mb: int = Field(512, ge=0, description="Free disk space below which commands are stopped.")
    background_s: int = Field(3_600, ge=1, description="Time that a background job has.")
    thread_jobs: int = Field(4, ge=0, description="Background jobs of a thread at once.")
    jobs: int = Field(32, ge=0, description="Background jobs of this process at once.")
    output_mb: int = Field(16, ge=1, description="Output of a command that is kept for reading on.")
    hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Hosts that commands may reach by HTTP and HTTPS, comma-separated: `index.example`, "
        "`*.files.example:443`; empty: no network.",
    )
    connections: int = Field(64, ge=1, description="Connections of a command to these hosts at once.")
    traffic_mb: int = Field(
        1_024, ge=1, description="What a command sends to these hosts and gets from them."
    )

    @field_validator("hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return (
            [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value
        )

    @field_validator("hosts")
    @classmethod
    def _are_hosts(cls, value: tuple[str, ...], known: ValidationInfo) -> tuple[str, ...]:
        for text in value:
            parse(text)
        if value and known.data.get("mode") == "host":
            raise ValueError(
                "without a box (ARTEL_SANDBOX__MODE=host) nothing keeps commands to a list of hosts"
            )
        return value
