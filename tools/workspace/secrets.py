"""Files whose content a person is asked about before an agent sees it."""

from functools import lru_cache

from artel.tools.workspace import wildcards

NAMES = (
    *(".env*", "*.env", ".netrc", "_netrc", ".pgpass", ".npmrc", ".pypirc", ".htpasswd", ".git-credentials"),
    *("*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx", "*.ppk", "*.asc", "*.gpg"),
    *("id_rsa", "id_dsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk"),
    *("credentials.json", "secrets.json", "secrets.yml", "secrets.yaml", "secrets.toml"),
)
FOLDERS = (".env*", ".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker", "gcloud")
SECRETS = (*NAMES, *FOLDERS, *(f"**/{folder}/**" for folder in FOLDERS))
"""Glob patterns of all of them, for policies."""

_names = wildcards.any_name((*NAMES, *FOLDERS), ignore_case=True)
_folders = wildcards.any_name(FOLDERS, ignore_case=True)


@lru_cache(maxsize=16_384)
def is_secret(path: str) -> bool:
    """Return whether a path from the workspace names something secret, by its name alone.

    >>> is_secret("deploy/.env.production"), is_secret("src/environment.py")
    (True, False)
    """
    *folders, name = path.split("/")
    return bool(_names.fullmatch(name)) or any(map(_folders.fullmatch, folders))
