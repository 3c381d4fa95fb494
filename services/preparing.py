"""Prepares empty servers for the services of one platform: `python -m services.preparing`.

    secrets FOLDER                  make what services sign and log in with: files, each once
    schemas FOLDER mysql+pymysql://root@host:3306
                                    make schemas, users and tables; the password of root is in
                                    FOLDER/mysql_root. May be repeated: rows stay

FOLDER/services has what services are told as their folder of secrets: `approval`, and
`<instance>.databases` and `.redis`. `users.acl` is for Redis, `mysql_root` for MySQL.
"""

import secrets
import sys
from pathlib import Path

from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.pool import NullPool

from runtime.naming import Identity, identity_of
from runtime.stores import acl
from runtime.stores.deployment import Deployment
from runtime.stores.migrating import upgrade
from services.wiring import BUILDERS, HISTORIES, MANIFESTS

ROOT, APPROVAL, USERS, OWN = "mysql_root", "approval", "users.acl", "services"
RIGHTS = "SELECT, INSERT, UPDATE, DELETE"  # Of a service in its own schema: no DDL at run time.
LETTERS = "CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"  # Names are told apart by every letter.
MODE = 0o444  # In a folder that nobody else may enter; containers see the files alone.


def identities() -> list[Identity]:
    """Return what every service of a platform is called."""
    return [identity_of(service) for service in BUILDERS]


def make_secrets(folder: Path) -> None:
    """Make every secret that is not there yet."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / OWN).mkdir(mode=0o755, exist_ok=True)
    for name in (ROOT, f"{OWN}/{APPROVAL}"):
        _made(folder / name)
    for identity in identities():
        for store in ("databases", "redis"):
            _made(folder / OWN / f"{identity.instance_name}.{store}")
    deployment = Deployment(tuple(identities()), MANIFESTS)
    hashes = {
        one.acl_user: [acl.password_hash(_read(folder / OWN / f"{one.instance_name}.redis"))]
        for one in identities()
    }
    users = folder / USERS
    users.unlink(missing_ok=True)
    users.write_text(acl.users_acl(acl.users(deployment, hashes)), encoding="utf-8")
    users.chmod(MODE)


def make_schemas(folder: Path, url: str) -> None:
    """Make what services find on a database server; what is there already stays."""
    root = make_url(url).set(password=_read(folder / ROOT))
    engine = create_engine(root, poolclass=NullPool)
    with engine.connect() as connection:
        for identity in identities():
            password = _read(folder / OWN / f"{identity.instance_name}.databases")
            _admit(connection, identity, password)
            if history := HISTORIES.get(identity.service):
                schema = root.set(database=identity.schema)
                upgrade(schema.render_as_string(hide_password=False), history)
    engine.dispose()


def _admit(connection: Connection, identity: Identity, password: str) -> None:
    """Give an instance its schema, and a user who may use that and nothing else."""
    user = f"'{identity.instance_name}'@'%'"
    schema = identity.schema.replace("_", r"\_")  # Here _ stands for any character.
    for statement in (
        f"CREATE DATABASE IF NOT EXISTS `{identity.schema}` {LETTERS}",
        f"CREATE USER IF NOT EXISTS {user} IDENTIFIED BY '{password}'",
        f"ALTER USER {user} IDENTIFIED BY '{password}'",
        f"GRANT {RIGHTS} ON `{schema}`.* TO {user}",
    ):
        connection.execute(text(statement.replace("%", "%%").replace(":", r"\:")))


def _made(path: Path) -> None:
    if not path.exists():
        path.write_text(secrets.token_urlsafe(32), encoding="utf-8")
        path.chmod(MODE)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip()


def main(words: list[str]) -> int:
    """Do what the words say; return the exit status."""
    match words:
        case ["secrets", folder]:
            make_secrets(Path(folder))
        case ["schemas", folder, url]:
            make_schemas(Path(folder), url)
        case _:
            sys.stderr.write(__doc__ or "")
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
