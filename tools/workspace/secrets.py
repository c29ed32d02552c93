"""Files whose content a person is asked about before an agent sees it."""

from functools import lru_cache

from artel.tools.workspace import globs

SECRETS = (
    *(".env*", "*.env", ".netrc", "_netrc", ".pgpass", ".npmrc", ".pypirc", ".htpasswd", ".git-credentials"),
    *("*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx", "*.ppk", "*.asc", "*.gpg"),
    *("id_rsa", "id_dsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk"),
    *("**/.env*/**", "**/.ssh/**", "**/.gnupg/**", "**/.aws/**", "**/.azure/**", "**/.kube/**"),
    *(
        "**/.docker/config.json",
        "**/.config/gcloud/**",
        "**/credentials.json",
        "**/secrets.{json,yml,yaml,toml}",
    ),
)

_TESTS = tuple(globs.matcher(pattern, ignore_case=True) for pattern in SECRETS)


@lru_cache(maxsize=65_536)
def is_secret(path: str) -> bool:
    """Return whether a path from the workspace names something secret, by its name alone.

    >>> is_secret("deploy/.env.production"), is_secret("src/environment.py")
    (True, False)
    """
    return any(test(path) for test in _TESTS)
