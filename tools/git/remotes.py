"""Where a remote really is, and whether git may go there."""

import os
import re
import shlex
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote, urlsplit

from artel.tools.errors import ToolFailed, ToolRefused
from artel.tools.git import names
from artel.tools.git.errors import RemoteRefused
from artel.tools.git.repository import Repository, find, find_bare
from artel.tools.git.settings import GitSettings
from artel.tools.workspace.paths import printable

if TYPE_CHECKING:
    from artel.tools.tool import Work

SSH = "ssh -F none -oBatchMode=yes -oStrictHostKeyChecking=yes -oForwardAgent=no"
Protocol = Literal["https", "http", "ssh", "file"]

_LIKE_SCP = re.compile(r"(?:[\w.-]+@)?([\w.-]+):(?!//)(.+)")
_WHO = re.compile(r"https?://[^/]*@|ssh://[^/@]*:[^/]*@")
_SERVED = "git -c core.hooksPath=/dev/null -c core.alternateRefsCommand=false -c receive.autogc=false"


@dataclass(frozen=True, slots=True)
class Remote:
    """A remote that git may speak to."""

    name: str
    url: str
    protocol: Protocol
    host: str
    path: str
    "On the host, without slashes around it and `.git`; of a local one the folder."

    @property
    def shown(self) -> str:
        """Its address for people, without a password."""
        return printable(re.sub(r"(?<=://)[^/@]+@", "", self.url))

    def program(self, name: Literal["upload-pack", "receive-pack"]) -> list[str]:
        """Return how git is told to serve a local remote: with none of its hooks."""
        return [f"--{name}={_SERVED} {name}"] if self.protocol == "file" else []

    def access(self, settings: GitSettings) -> Mapping[str, str]:
        """Return the configuration of the way there, with the token if one is set for this very host."""
        if self.protocol == "ssh":
            agent = shlex.quote(settings.ssh_agent or "none")
            return {"core.sshCommand": f"{SSH} -oIdentityAgent={agent}"}
        way = {"http.proxy": settings.proxy}
        if settings.authorities:
            way["http.sslCAInfo"] = settings.authorities
        return {**way, **self._token(settings)}

    def _token(self, settings: GitSettings) -> Mapping[str, str]:
        base = f"{self.protocol}://{self.host}"
        for site, user, token in (
            (settings.github_url, "x-access-token", settings.github_token),
            (settings.gitlab_url, "oauth2", settings.gitlab_token),
        ):
            if token.get_secret_value() and base == site.rstrip("/").lower():
                basic = b64encode(f"{user}:{token.get_secret_value()}".encode()).decode()
                return {f"http.{base}/.extraHeader": f"Authorization: Basic {basic}"}
        return {}


def find_remote(repository: Repository, name: str, work: "Work", *, push: bool = False) -> Remote:
    """Return the remote called `name`. Reads files, so it belongs into a thread.

    Raises:
        RemoteRefused: there is none, or git may not go there; the message says what would allow it.
        UnsafeRepository: the repository's configuration could lead elsewhere.
    """
    names.remote(name)
    urls = _urls(repository, name, push=push)
    if len(urls) != 1:
        keys = {key for key, _ in repository.config.entries}
        known = sorted(key[7:-4] for key in keys if key.startswith("remote.") and key.endswith(".url"))
        raise RemoteRefused(
            f"{name} has {len(urls)} addresses, one is needed; there are these remotes: "
            + (printable(", ".join(known)) or "none")
        )
    remote = _parsed(name, urls[0], repository.root)
    _check_shown(remote, work)
    repository.config.check_for_network()
    _check(remote, work.git, work.roots, push=push)
    return remote


def remote_at(url: str, settings: GitSettings, roots: Sequence[Path]) -> Remote:
    """Return the remote at an address. Reads files, so it belongs into a thread.

    Raises:
        RemoteRefused: git may not go there, or the address holds a password; the message says what would do.
    """
    remote = _parsed("origin", url, Path("/"))
    if remote.protocol != "file" and _WHO.match(url):
        raise RemoteRefused(
            f"{remote.shown}: leave the password out of the address; ARTEL_GIT__GITHUB_TOKEN or "
            "ARTEL_GIT__GITLAB_TOKEN says it for that host"
        )
    _check(remote, settings, roots, push=False)
    return remote


def address(root: Path, name: str, *, push: bool = False) -> list[str]:
    """Return where a remote leads, for the person asked; nothing where a call would be refused anyway."""
    try:
        repository = find(root)
        return [_parsed(names.remote(name), url, root).shown for url in _urls(repository, name, push=push)]
    except (ToolRefused, ToolFailed):
        return []


def _check(remote: Remote, settings: GitSettings, roots: Sequence[Path], *, push: bool) -> None:
    if remote.protocol == "file":
        _check_folder(Path(remote.path), (*roots, *settings.local_remotes), push=push)
    elif remote.protocol == "ssh" and not settings.ssh:
        raise RemoteRefused(f"{remote.shown} needs ssh, which is off; ARTEL_GIT__SSH=true allows it")
    elif remote.host not in settings.reachable:
        raise RemoteRefused(f"{remote.host} is not among the hosts git may reach; see ARTEL_GIT__HOSTS")
    elif remote.protocol == "http" and not _is_site(remote, settings):
        raise RemoteRefused(f"{remote.shown} is not encrypted; use https")


def _urls(repository: Repository, name: str, *, push: bool) -> list[str]:
    urls = repository.config.all(f"remote.{name}.pushurl") if push else []
    return urls or repository.config.all(f"remote.{name}.url")


def _parsed(name: str, url: str, root: Path) -> Remote:
    if not url or url.startswith("-") or not url.isprintable():
        raise RemoteRefused(f"{printable(url)!r} is no address of a remote")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise RemoteRefused(f"{printable(url)!r} is no address of a remote") from None
    if parts.scheme in ("https", "http", "ssh") and "://" in url:
        host = parts.netloc.rpartition("@")[2].lower()
        if not re.fullmatch(r"[a-z0-9][a-z0-9.-]*(:\d+)?|\[[0-9a-f:]+\](:\d+)?", host):
            raise RemoteRefused(f"{printable(url)!r} names no host")
        return Remote(name, url, parts.scheme, host, _without_git(parts.path))  # type: ignore[arg-type]
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        return _local(name, root, unquote(parts.path))
    if "::" in url or "://" in url:
        raise RemoteRefused(f"{printable(url)!r}: git may use https, ssh and folders of this machine only")
    if (found := _LIKE_SCP.fullmatch(url)) and not url.startswith(("/", ".")):
        return Remote(name, url, "ssh", found[1].lower(), _without_git(found[2]))
    return _local(name, root, url)


def _local(name: str, root: Path, path: str) -> Remote:
    folder = os.path.realpath(os.path.join(root, path))  # noqa: PTH118 - as git takes it
    return Remote(name, folder, "file", "", folder)


def _without_git(path: str) -> str:
    return path.strip("/").removesuffix(".git")


def _check_shown(remote: Remote, work: "Work") -> None:
    if work.leads is not None and remote.shown not in work.leads:
        raise RemoteRefused(
            f"{remote.name} leads to {remote.shown} now, and the user was shown "
            f"{', '.join(work.leads) or 'no address'}: nothing was sent. If it is still wanted, ask again"
        )


def _check_folder(folder: Path, roots: Sequence[Path], *, push: bool) -> None:
    allowed = [Path(os.path.realpath(root)) for root in roots]
    if not any(folder.is_relative_to(root) for root in allowed):
        raise RemoteRefused(
            f"{folder} is not below a folder where remotes may lie; see ARTEL_GIT__LOCAL_REMOTES"
        )
    find_bare(folder)
    hooks = folder / "hooks"
    named = [each.name for each in hooks.iterdir() if each.suffix != ".sample"] if hooks.is_dir() else []
    if push and named:
        raise RemoteRefused(f"{folder} checks what is pushed by hooks, which are not run here: {named[0]}")


def _is_site(remote: Remote, settings: GitSettings) -> bool:
    base = f"{remote.protocol}://{remote.host}"
    return base in (settings.github_url.rstrip("/").lower(), settings.gitlab_url.rstrip("/").lower())
