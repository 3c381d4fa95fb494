"""Where each service's stores are, with the password that it alone may know."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from runtime.naming import Identity


@dataclass(frozen=True)
class Passwords:
    """Where passwords are: in files that only this process may read, or in the environment."""

    folder: Path | None
    environ: Mapping[str, str]

    def of(self, store: str, identity: Identity) -> str:
        """Return the password of an instance; raises ValueError when there is none."""
        name, variable = f"{identity.instance_name}.{store}", f"PLIMSOLL_{store.upper()}_PASSWORD"
        if self.folder is not None and (file := self.folder / name).is_file():
            return file.read_text(encoding="utf-8").strip()
        if password := self.environ.get(variable):
            return password
        raise ValueError(
            f"{identity.instance_name} has no password for {store}, must have one: put it into "
            f"{name} in the folder of secrets, or into {variable}"
        )


def approval_key_in(folder: str) -> bytes:
    """Return what signs approvals, from the file `approval` of a folder; b"" without one."""
    file = Path(folder, "approval")
    return file.read_bytes().strip() if folder and file.is_file() else b""


def urls_of(
    store: str, template: str, hosted: Mapping[str, Identity], passwords: Passwords
) -> dict[str, str]:
    """Return each service's own URL; raises ValueError when one cannot be made."""
    if not template:
        return {}
    if store == "databases" and "{schema}" not in template:
        raise ValueError(
            "the URL of the databases has no {schema}, must have it: each service keeps its "
            "tables in a schema of its own"
        )
    found = {}
    for service, identity in hosted.items():
        user = identity.acl_user if store == "redis" else identity.instance_name
        url = template.replace("{schema}", identity.schema).replace("{user}", quote(user))
        if "{password}" in url:
            url = url.replace("{password}", quote(passwords.of(store, identity), safe=""))
        found[service] = url
    return found
