"""`webhooks` of a configuration: to which URLs, and with what headers."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from artel.server.engine.addresses import Policy, WebhookRefused, Webhooks
from artel.server.engine.settings import WebhookSettings
from artel.server.engine.webhook_policy import webhooks_of
from artel.server.served import ConfigWrong, Served

SETTINGS = WebhookSettings(secret=SecretStr("s"))
ENV = {"LG_WEBHOOK_TOKEN": "t", "OURS_TOKEN": "o", "SECRET": "never", "LG_WEBHOOK_ODD": "a\nb"}


def read(webhooks: Any, settings: WebhookSettings = SETTINGS) -> Webhooks:
    return webhooks_of(
        Served(Path("langgraph.json"), (), (), {}, {"webhooks": webhooks} if webhooks != "none" else {}),
        settings,
        ENV,
    )


@pytest.mark.parametrize("config", [None, "none"])
def test_without_rules_the_settings_alone_say_where_to(config: str | None) -> None:
    settings = SETTINGS.model_copy(update={"allow_private": True})
    made = webhooks_of(None, settings, ENV) if config is None else read(config, settings)
    assert (made.policy, made.settings) == (Policy(private=True), settings)


def test_rules_are_strict_by_themselves_and_say_what_they_say() -> None:
    assert read({"url": {}}).policy == Policy(https_only=True)
    rules = {
        "require_https": False,
        "allowed_domains": ["a.example", "*.b.example"],
        "allowed_ports": [8443],
        "max_url_length": 99,
        "disable_loopback": False,
        "allow_private": True,
    }
    assert read({"url": rules}).policy == Policy(
        domains=("a.example", "*.b.example"), ports=(8443,), max_chars=99, loopback=True, private=True
    )


def test_headers_alone_narrow_nothing() -> None:
    assert read({"headers": {"X-A": "b"}}).policy == Policy(headers={"X-A": "b"})


def test_a_setting_opens_what_the_rules_leave_shut() -> None:
    settings = SETTINGS.model_copy(update={"allow_loopback": True, "allow_private": True})
    policy = read({"url": {}}, settings).policy
    assert (policy.loopback, policy.private, policy.https_only) == (True, True, True)


def test_headers_take_values_from_the_environment_only_by_their_prefix() -> None:
    given = {"Authorization": "Bearer ${{ env.LG_WEBHOOK_TOKEN }}", "X-Two": "${{env.LG_WEBHOOK_TOKEN}}-x"}
    assert read({"headers": given}).policy.headers == {"Authorization": "Bearer t", "X-Two": "t-x"}
    own = {"env_prefix": "OURS_", "headers": {"X-A": "${{ env.OURS_TOKEN }}"}}
    assert read(own).policy.headers == {"X-A": "o"}
    assert read({"headers": {"X-A": "$TOKEN {{ env.X }}"}}).policy.headers == {"X-A": "$TOKEN {{ env.X }}"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], r"langgraph\.json: webhooks: .*got \[\]"),
        ({"url": []}, r"webhooks\.url: "),
        ({"url": {"require_https": "yes"}}, r"webhooks\.url\.require_https: .*'yes'"),
        ({"url": {"allowed_domains": "a.example"}}, r"webhooks\.url\.allowed_domains: "),
        ({"url": {"allowed_ports": ["443"]}}, r"webhooks\.url\.allowed_ports\.0: "),
        ({"url": {"max_url_length": 0}}, r"webhooks\.url\.max_url_length: .*got 0"),
        ({"headers": {"X-A": 1}}, r"webhooks\.headers\.X-A: .*got 1"),
        ({"env_prefix": ""}, r"webhooks\.env_prefix: "),
        ({"headers": {"X A": "b"}}, r"webhooks\.headers: 'X A' cannot be the name"),
        ({"headers": {"X-A\n": "b"}}, r"webhooks\.headers: 'X-A\\n' cannot be the name"),
        ({"headers": {"Host": "b"}}, r"webhooks\.headers: 'Host' cannot be the name"),
        ({"headers": {"X-A": "${{ env.SECRET }}"}}, r"X-A: SECRET does not begin with LG_WEBHOOK_"),
        ({"headers": {"X-A": "${{ env.LG_WEBHOOK_NONE }}"}}, r"X-A: LG_WEBHOOK_NONE is not set"),
        ({"headers": {"X-A": "${{ env.LG_WEBHOOK_ODD }}"}}, r"X-A: a header may hold printable ASCII only"),
        ({"headers": {"X-A": "ж"}}, r"X-A: a header may hold printable ASCII only"),
    ],
)
def test_what_cannot_be_used_is_refused_by_its_key(given: Any, said: str) -> None:
    with pytest.raises(ConfigWrong, match=said):
        read(given)


async def test_the_rules_are_those_that_urls_are_held_to() -> None:
    policy = read({"url": {"allowed_domains": ["a.example"]}}).policy
    for url in ("http://a.example/", "https://b.example/"):
        with pytest.raises(WebhookRefused):
            await policy.target(url)
