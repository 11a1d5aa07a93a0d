"""The component for Prometheus and Grafana."""

import subprocess
from pathlib import Path

import yaml

from deployment.arrows import arrows
from deployment.kinds import Alerts, Monitor, Service
from deployment.rendered import Rendered, render, with_component
from fixtures.requires import require_program


def test_who_watches_may_ask_the_api_for_its_figures(tmp_path: Path) -> None:
    rendered = Rendered.of(with_component(tmp_path, "monitoring"))
    (monitor,) = rendered.all(Monitor)
    (endpoint,) = monitor.spec.endpoints
    watched = [
        each
        for each in rendered.all(Service)
        if monitor.spec.selector.match_labels.items() <= each.metadata.labels.items()
    ]
    assert [port.name for each in watched for port in each.spec.ports] == [endpoint.port]
    assert ("ingress", "[monitoring]", "api", 8000) in list(arrows(rendered))


def test_every_alert_has_its_place_in_the_handbook(tmp_path: Path) -> None:
    handbook = Path("docs/operations.md").read_text()
    (alerts,) = Rendered.of(with_component(tmp_path, "monitoring")).all(Alerts)
    rules = [rule for group in alerts.spec.groups for rule in group.rules]
    assert rules
    for rule in rules:
        assert f"### {rule.alert}\n" in handbook
        assert rule.annotations["runbook"] == f"docs/operations.md#{rule.alert.lower()}"


def test_prometheus_reads_the_alerts(tmp_path: Path) -> None:
    program = require_program("promtool", hint="apt-get install prometheus")
    (alerts,) = (each for each in render(with_component(tmp_path, "monitoring")) if each["kind"] == "PrometheusRule")
    (tmp_path / "alerts.yaml").write_text(yaml.safe_dump(alerts["spec"]))
    subprocess.run(
        [program, "check", "rules", str(tmp_path / "alerts.yaml")], check=True, capture_output=True, timeout=60
    )
