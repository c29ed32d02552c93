"""What an operator may say about git: tokens, hosts, folders and time."""

import os
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import NoDecode


class GitSettings(BaseModel):
    """Where git may push to and pull from, and with what; nothing set: no token, https and folders only."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    github_url: str = Field("https://github.com", description="GitHub, or a GitHub Enterprise server.")
    github_token: SecretStr = Field(SecretStr(""), description="Token for it: to push and to open requests.")
    gitlab_url: str = Field("https://gitlab.com", description="GitLab, or a server of one's own.")
    gitlab_token: SecretStr = Field(SecretStr(""), description="Token for it: to push and to open requests.")
    hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Other hosts that git may reach over https or ssh, comma-separated."
    )
    ssh: bool = Field(False, description="Let git use ssh, with the keys of who runs the server.")
    ssh_agent: str = Field(
        "", description="Socket of the agent that holds keys for ssh; empty: key files only."
    )
    proxy: str = Field("", description="Proxy for https, as http://host:port.")
    authorities: str = Field(
        "", description="File of the certificate authorities to believe; empty: known ones."
    )
    local_remotes: Annotated[tuple[Path, ...], NoDecode] = Field(
        (),
        description="Folders below which remotes given by path may lie, separated as in PATH; "
        "below the workspace roots they always may.",
    )
    timeout_s: float = Field(120, gt=0, le=3_600, description="Longest that one push, pull or request takes.")

    @field_validator("hosts", mode="before")
    @classmethod
    def _split_hosts(cls, value: object) -> object:
        return _parts(value, ",")

    @field_validator("local_remotes", mode="before")
    @classmethod
    def _split_folders(cls, value: object) -> object:
        return _parts(value, os.pathsep)

    @property
    def reachable(self) -> frozenset[str]:
        """The hosts that git may reach, as `host` or `host:port`."""
        known = (urlsplit(self.github_url).netloc, urlsplit(self.gitlab_url).netloc)
        return frozenset(host.lower() for host in (*known, *self.hosts))


def _parts(value: object, separator: str) -> object:
    return [one.strip() for one in value.split(separator) if one.strip()] if isinstance(value, str) else value
