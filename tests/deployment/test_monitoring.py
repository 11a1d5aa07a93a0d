"""The component for Prometheus and Grafana."""

import json
import re
import subprocess
from pathlib import Path

import yaml

from deployment.arrows import arrows
from deployment.kinds import Alerts, ConfigMap, Monitor
from deployment.rendered import Rendered, container_of, render, with_component
from fixtures.metrics import metrics_listed
from fixtures.requires import require_program

_FAMILY = re.compile(r"_(bucket|count|sum)$")
_OF_PROMETHEUS = {"le", "namespace", "pod", "job", "container"}


def test_who_watches_may_ask_every_process_for_its_figures(tmp_path: Path) -> None:
    rendered = Rendered.of(with_component(tmp_path, "monitoring"))
    (monitor,) = rendered.all(Monitor)
    (chosen,) = monitor.spec.selector.match_expressions
    assert chosen.key == monitor.spec.job_label
    ports = {endpoint.port for endpoint in monitor.spec.pod_metrics_endpoints}
    let_in = list(arrows(rendered))
    watched = {each.metadata.labels[chosen.key]: each for each in rendered.workloads if each.metadata.name != "redis"}
    assert sorted(watched) == sorted(chosen.values)
    for name, workload in watched.items():
        (port,) = container_of(workload).ports
        assert port.name in ports
        assert ("ingress", "[monitoring]", name, port.container_port) in let_in


def test_alerts_and_dashboard_ask_for_what_the_documentation_lists(tmp_path: Path) -> None:
    listed = metrics_listed()
    rendered = Rendered.of(with_component(tmp_path, "monitoring"))
    (alerts,) = rendered.all(Alerts)
    panels = json.loads(rendered.one(ConfigMap, "sector-dashboard").data["sector.json"])["panels"]
    expressions = [rule.expr for group in alerts.spec.groups for rule in group.rules]
    shown = [target["expr"] for panel in panels for target in panel.get("targets", ())]
    assert len(shown) > 30
    for expression in expressions + shown:
        for name, selected in re.findall(r"\b(sector_\w+)\{(.*?)\}", expression):
            metric = listed[_FAMILY.sub("", name) if name not in listed else name]
            labels = set(re.findall(r"(\w+)(?:=~|!=|=)", selected))
            assert labels <= set(metric.labels) | {"namespace", "pod", "job"}, expression
        used = set(re.findall(r"\bby \(([^)]*)\)", expression))
        known = {label for metric in listed.values() for label in metric.labels} | _OF_PROMETHEUS
        assert {label.strip() for each in used for label in each.split(",")} <= known, expression
    asked = {name for each in shown for name in re.findall(r"\bsector_\w+", each)}
    families = {name if name in listed else _FAMILY.sub("", name) for name in asked}
    unseen = set(listed) - families
    assert unseen == {"sector_ready", "sector_tick", "sector_lease_epoch", "sector_viz_tick", "sector_bot_tick"} | {
        each for each in unseen if each.startswith(("sector_viz_", "sector_snapshot_", "sector_api_sims"))
    }


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
