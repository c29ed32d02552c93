"""Pull requests of GitHub and merge requests of GitLab, over their HTTP interfaces."""

import re
from asyncio import to_thread
from collections.abc import Mapping
from dataclasses import dataclass
from json import JSONDecodeError, loads
from ssl import SSLContext, create_default_context
from typing import Any, Literal
from urllib.parse import quote, urlsplit

import httpx
from pydantic import SecretStr

from artel.tools.git.errors import HostFailed, RemoteRefused
from artel.tools.git.remotes import Remote
from artel.tools.git.request import Opened, Request
from artel.tools.git.settings import GitSettings
from artel.tools.workspace.paths import printable

MAX_BYTES = 2_097_152  # of an answer
_ADDRESS = re.compile(r"https?://[\x21-\x7e]{1,300}")
MAX_SAID = 500  # characters of why it was refused


@dataclass(frozen=True, slots=True)
class Host:
    """A project on GitHub or GitLab, and the token for it."""

    kind: Literal["github", "gitlab"]
    url: str
    "Of the project's requests."
    headers: Mapping[str, str]
    token_setting: str
    owner: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a host answered."""

    status: int
    said: Any


def host_of(remote: Remote, settings: GitSettings) -> Host:
    """Return where requests of a remote are opened.

    Raises:
        RemoteRefused: it lies on neither host, or no token is set for it.
    """
    name = urlsplit(f"//{remote.host}").hostname
    if name == urlsplit(settings.github_url).hostname:
        return _github(remote, settings)
    if name == urlsplit(settings.gitlab_url).hostname:
        return _gitlab(remote, settings)
    raise RemoteRefused(
        f"{remote.host} is neither the GitHub nor the GitLab that is set; "
        "see ARTEL_GIT__GITHUB_URL and ARTEL_GIT__GITLAB_URL. The user can open the request by hand"
    )


async def open_request(host: Host, request: Request, settings: GitSettings) -> Opened:
    """Open a request, or find the one that is open for the same branches. Nothing is tried twice.

    Raises:
        HostFailed: the host refused or failed; the message says why.
    """
    verify = await to_thread(_believed, settings.authorities)
    async with httpx.AsyncClient(
        timeout=settings.timeout_s,
        headers=host.headers,
        proxy=settings.proxy or None,
        trust_env=False,
        verify=verify,
    ) as client:
        base = request.base or await _default_branch(client, host)
        made = await _ask(client, host, "POST", host.url, json=_body(host, request, base))
        if made.status == 201:
            return Opened(_address(made.said), new=True)
        if made.status in (409, 422):  # a request for these branches is open, or they cannot be joined
            asked = _search(host, request.head, base)
            found = await _ask(client, host, "GET", host.url, params=asked)
            if found.status == 200 and isinstance(found.said, list) and found.said:
                return Opened(_address(found.said[0]), new=False)
        raise HostFailed(_why(made, host, request))


def _believed(authorities: str) -> SSLContext | bool:
    try:
        return create_default_context(cafile=authorities) if authorities else True
    except OSError as error:
        raise HostFailed(f"ARTEL_GIT__AUTHORITIES={authorities} cannot be used: {error}") from error


def _github(remote: Remote, settings: GitSettings) -> Host:
    site = settings.github_url.rstrip("/")
    api = "https://api.github.com" if site == "https://github.com" else f"{site}/api/v3"
    owner, _, name = remote.path.partition("/")
    token = _token(settings.github_token, "ARTEL_GIT__GITHUB_TOKEN")
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"}
    url = f"{api}/repos/{quote(owner, safe='')}/{quote(name, safe='')}/pulls"
    return Host("github", url, headers, "ARTEL_GIT__GITHUB_TOKEN", owner)


def _gitlab(remote: Remote, settings: GitSettings) -> Host:
    token = _token(settings.gitlab_token, "ARTEL_GIT__GITLAB_TOKEN")
    project = f"{settings.gitlab_url.rstrip('/')}/api/v4/projects/{quote(remote.path, safe='')}"
    headers = {"PRIVATE-TOKEN": token}
    return Host("gitlab", f"{project}/merge_requests", headers, "ARTEL_GIT__GITLAB_TOKEN", "")


def _token(token: SecretStr, setting: str) -> str:
    if not token.get_secret_value():
        raise RemoteRefused(f"no token is set to open requests with; {setting} takes one. Tell the user")
    return token.get_secret_value()


def _body(host: Host, request: Request, base: str) -> dict[str, str | bool]:
    if host.kind == "github":
        draft = {"draft": True} if request.draft else {}
        return {"title": request.title, "body": request.body, "head": request.head, "base": base, **draft}
    branches = {"source_branch": request.head, "target_branch": base}
    title = f"Draft: {request.title}" if request.draft else request.title
    return {"title": title, "description": request.body, **branches}


def _search(host: Host, head: str, base: str) -> dict[str, str]:
    if host.kind == "github":
        return {"state": "open", "head": f"{host.owner}:{head}", "base": base}
    return {"state": "opened", "source_branch": head, "target_branch": base}


async def _default_branch(client: httpx.AsyncClient, host: Host) -> str:
    answer = await _ask(client, host, "GET", host.url.rpartition("/")[0])
    branch = answer.said.get("default_branch") if isinstance(answer.said, dict) else None
    if answer.status != 200 or not isinstance(branch, str):
        raise HostFailed(_why(answer, host, None))
    return branch


async def _ask(client: httpx.AsyncClient, host: Host, method: str, url: str, **more: Any) -> Answer:
    try:
        async with client.stream(method, url, **more) as response:
            content = b""
            async for part in response.aiter_bytes():
                content += part
                if len(content) > MAX_BYTES:
                    raise HostFailed(f"{urlsplit(url).netloc} answers with more than {MAX_BYTES} bytes")
    except httpx.HTTPError as error:
        raise HostFailed(
            f"{urlsplit(url).netloc} cannot be asked: {error or type(error).__name__}. Whether the request "
            "was opened is not known; to call this again opens no second one"
        ) from error
    try:
        return Answer(response.status_code, loads(content))
    except (JSONDecodeError, UnicodeDecodeError):
        return Answer(response.status_code, None)


def _address(said: Any) -> str:
    found = (said.get("html_url") or said.get("web_url")) if isinstance(said, dict) else None
    is_one = isinstance(found, str) and _ADDRESS.fullmatch(found)
    return str(found) if is_one else "a request whose address the host does not tell"


def _why(answer: Answer, host: Host, request: Request | None) -> str:
    at = urlsplit(host.url).netloc
    said = printable(str(answer.said))[:MAX_SAID] if answer.said else "nothing more"
    match answer.status:
        case 401 | 403:
            return f"{at} refuses the token of {host.token_setting} ({answer.status}): {said}. Tell the user"
        case 404:
            return f"{at} knows no such project, or hides it from the token of {host.token_setting}"
        case 409 | 422 if request:
            return f"{at} cannot open it: {said}. Was {request.head} pushed (git_push), with new commits?"
        case status:
            return f"{at} answered {status}: {said}. To call this again later opens no second request"
