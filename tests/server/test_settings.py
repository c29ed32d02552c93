import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from artel.server.settings import COMMON_NAMES, Settings, SettingsWrong, load_settings, mcp_servers, provide
from artel.tools.web.internet import InternetSettings


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Start in an empty folder with an environment that sets nothing of ours."""
    for name in list(os.environ):
        if name.startswith("ARTEL_") or name in COMMON_NAMES:
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_with_nothing_set_it_is_one_local_owner_on_the_embedded_database(tmp_path: Path) -> None:
    settings = load_settings()
    assert (settings.host, settings.port, settings.is_exposed) == ("127.0.0.1", 8123, False)
    assert not settings.port_was_asked_for
    assert settings.storage.postgres == ""
    assert settings.roots == (tmp_path, tmp_path / ".artel/workspaces")


def test_a_flag_wins_over_the_long_name_and_that_over_the_common_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "1001")
    assert load_settings().port == 1001
    monkeypatch.setenv("ARTEL_PORT", "1002")
    assert load_settings().port == 1002
    settings = load_settings(port=1003, host=None)
    assert (settings.port, settings.port_was_asked_for, settings.host) == (1003, True, "127.0.0.1")


def test_the_common_names_of_models_and_keys_are_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARTEL_MODEL", "openai:small")
    monkeypatch.setenv("LLM_PROVIDER", "vllm")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:9/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "k1")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k2")
    monkeypatch.setenv("ARTEL_MODELS__TIMEOUT_S", "7")
    models = load_settings().models
    assert (models.model, models.provider, models.openai_base_url) == (
        "openai:small",
        "vllm",
        "http://localhost:9/v1",
    )
    assert (models.openai_api_key, models.anthropic_api_key, models.timeout_s) == ("k1", "k2", 7)


def test_files_in_the_folder_of_the_start_are_read_and_the_environment_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("ARTEL_MODEL=a:1\nLLM_PROVIDER=ollama\nARTEL_ENGINE__SLOTS=3\nOTHER=x\n")
    (tmp_path / ".env.local").write_text("ARTEL_MODEL=b:2\nARTEL_DATA=elsewhere\n")
    monkeypatch.setenv("ARTEL_ENGINE__SLOTS", "4")
    settings = load_settings()
    assert (settings.models.model, settings.models.provider) == ("b:2", "ollama")
    assert (settings.engine.slots, settings.data) == (4, Path("elsewhere"))


def test_lists_are_written_as_people_write_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ARTEL_WORKSPACE_ROOTS", os.pathsep.join([str(tmp_path / "a"), "b"]))
    monkeypatch.setenv("ARTEL_WEB__ORIGINS", "https://a.example, https://b.example")
    settings = load_settings()
    assert settings.roots == (tmp_path / "a", tmp_path / "b")
    assert settings.web.origins == ("https://a.example", "https://b.example")


@pytest.mark.parametrize(
    ("host", "exposed"),
    [("127.0.0.1", False), ("127.9.9.9", False), ("::1", False), ("localhost", False),
     ("0.0.0.0", True), ("::", True), ("192.168.1.2", True), ("box.example", True)],
)  # fmt: skip
def test_only_loopback_is_not_exposed(host: str, exposed: bool) -> None:
    assert load_settings(host=host).is_exposed is exposed


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PORT", "many", "PORT cannot be 'many': input should be a valid integer"),
        ("ARTEL_PORT", "70000", "PORT cannot be '70000': input should be less than or equal to 65535"),
        ("ARTEL_ENGINE__SLOTS", "0", "ARTEL_ENGINE__SLOTS cannot be '0'"),
        ("ARTEL_MODELS__FALLBACKS", "a:b", "models"),
        ("ARTEL_INTERNET__SEARCH", "tavily", "SEARCH cannot be 'tavily': .* needs a key in ARTEL_INTERNET__"),
    ],
)
def test_a_wrong_value_is_said_with_the_name_of_its_setting(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsWrong, match=sentence) as refused:
        load_settings()
    assert "\n" not in str(refused.value)


def test_the_internet_is_switched_on_by_name_and_its_key_is_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().internet == InternetSettings()
    for name, value in {"FETCH": "true", "PORTS": "80, 8000", "SEARCH": "serper", "SEARCH_KEY": "k9"}.items():
        monkeypatch.setenv(f"ARTEL_INTERNET__{name}", value)
    settings = load_settings()
    assert (settings.internet.fetch, settings.internet.ports) == (True, (80, 8000))
    assert "k9" in settings.secrets
    assert "k9" not in repr(settings)


def test_settings_do_not_change_under_way() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings().port = 1  # type: ignore[misc]


def test_a_served_configuration_provides_names_but_overrides_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_PROVIDER", "ours")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    provide({"LLM_PROVIDER": "theirs", "OPENAI_API_KEY": "k"})
    assert (os.environ["LLM_PROVIDER"], os.environ["OPENAI_API_KEY"]) == ("ours", "k")


def test_every_setting_is_described_in_a_line() -> None:
    def undescribed(model: type[BaseModel], path: str = "") -> Iterator[str]:
        for name, field in model.model_fields.items():
            if not field.description:
                yield f"{path}{name}"
            if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
                yield from undescribed(field.annotation, f"{path}{name}.")

    assert list(undescribed(Settings)) == []


def test_what_commands_may_read_and_get_is_written_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARTEL_SANDBOX__READABLE", '["/opt/node"]')
    monkeypatch.setenv("ARTEL_SANDBOX__ENV", '{"PATH": "/opt/node/bin:/usr/bin"}')
    sandbox = load_settings().sandbox
    assert (sandbox.mode, sandbox.readable) == ("bubblewrap", (Path("/opt/node"),))
    assert sandbox.env == {"PATH": "/opt/node/bin:/usr/bin"}
    for folder in ("/", "opt"):
        monkeypatch.setenv("ARTEL_SANDBOX__READABLE", f'["{folder}"]')
        with pytest.raises(SettingsWrong, match="an absolute path below /"):
            load_settings()


def test_the_hosts_of_commands_are_a_list_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARTEL_SANDBOX__HOSTS", "index.example, *.files.example:443")
    assert load_settings().sandbox.hosts == ("index.example", "*.files.example:443")
    monkeypatch.setenv("ARTEL_SANDBOX__HOSTS", "https://index.example")
    with pytest.raises(
        SettingsWrong, match=r"ARTEL_SANDBOX__HOSTS cannot be .*'https://index\.example' is no host"
    ):
        load_settings()


def test_language_servers_are_written_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARTEL_LSP__SERVERS", '{"python": ["ruff", "server"]}')
    assert load_settings().lsp.servers == {"python": ("ruff", "server")}
    monkeypatch.setenv("ARTEL_LSP__SERVERS", '{"pyton": ["ruff"]}')
    with pytest.raises(SettingsWrong, match="'pyton' is no language; there are bash, c, cpp"):
        load_settings()


def test_git_is_set_by_lists_and_its_tokens_are_seen_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARTEL_GIT__HOSTS", "git.example.org, Code.example.org")
    monkeypatch.setenv("ARTEL_GIT__LOCAL_REMOTES", os.pathsep.join(("/srv/git", "/srv/more")))
    monkeypatch.setenv("ARTEL_GIT__GITHUB_TOKEN", "t0ken-hub")
    monkeypatch.setenv("ARTEL_GIT__GITLAB_TOKEN", "t0ken-lab")
    settings = load_settings()
    assert settings.git.reachable == {"github.com", "gitlab.com", "git.example.org", "code.example.org"}
    assert settings.git.local_remotes == (Path("/srv/git"), Path("/srv/more"))
    assert "t0ken" not in repr(settings)
    assert {"t0ken-hub", "t0ken-lab"} <= set(settings.secrets)


def test_mcp_servers_are_read_with_the_environment_and_their_secrets_are_known(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert mcp_servers(load_settings()).servers == ()
    monkeypatch.setenv("CORE_TOKEN", "t0ken-of-core")
    monkeypatch.setenv("ARTEL_MCP__FILE", "mcp.json")
    file = tmp_path / "mcp.json"
    file.write_text('{"mcpServers": {"core": {"command": "core", "env": {"TOKEN": "${CORE_TOKEN}"}}}}')
    settings = load_settings()
    assert [server.name for server in mcp_servers(settings).servers] == ["core"]
    assert "t0ken-of-core" in settings.secrets
    file.write_text('{"mcpServers": {"core": {}}}')
    with pytest.raises(SettingsWrong, match=r"ARTEL_MCP__FILE: .*mcp\.json: mcpServers\.core needs either"):
        mcp_servers(settings)
