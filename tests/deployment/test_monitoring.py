"""The component for Prometheus and Grafana."""

import json
import re
import subprocess
from pathlib import Path

import yaml

from deployment.arrows import arrows
from deployment.kinds import Alerts, ConfigMap, Monitor
from deployment.rendered import Rendered, container_of, render, with_component
from fixtures.metrics import documented_metrics
from fixtures.requires import require_program

_FAMILY = re.compile(r"_(bucket|count|sum)$")
_OF_PROMETHEUS = {"le", "namespace", "pod", "job", "container"}


def test_prometheus_may_scrape_every_process(tmp_path: Path) -> None:
    rendered = Rendered.of(with_component(tmp_path, "monitoring"))
    (monitor,) = rendered.all(Monitor)
    (selector,) = monitor.spec.selector.match_expressions
    assert selector.key == monitor.spec.job_label
    (endpoint,) = monitor.spec.pod_metrics_endpoints
    let_in = list(arrows(rendered))
    watched = {each.metadata.labels[selector.key]: each for each in rendered.workloads if each.metadata.name != "redis"}
    assert sorted(watched) == sorted(selector.values)
    for name, workload in watched.items():
        (port,) = (each for each in container_of(workload).ports if each.name == endpoint.port)
        assert ("ingress", "[monitoring]", name, port.container_port) in let_in


def test_alerts_and_dashboard_query_documented_metrics(tmp_path: Path) -> None:
    listed = documented_metrics()
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
        label_names = {label for metric in listed.values() for label in metric.labels} | _OF_PROMETHEUS
        assert {label.strip() for each in used for label in each.split(",")} <= label_names, expression
    metric_names = {name for each in shown for name in re.findall(r"\bsector_\w+", each)}
    families = {name if name in listed else _FAMILY.sub("", name) for name in metric_names}
    seldom = {"sector_ready", "sector_tick", "sector_lease_epoch", "sector_snapshot_write_bytes", "sector_api_sims"}
    of_viz_and_bot = {
        "sector_bot_tick",
        *(f"sector_viz_{name}" for name in ("tick", "sims", "messages_sent_total", "frame_bytes")),
    }
    assert set(listed) - families == seldom | of_viz_and_bot, "all else is shown"


def test_every_alert_has_a_runbook(tmp_path: Path) -> None:
    handbook = Path("docs/guides/alerts.md").read_text()
    (alerts,) = Rendered.of(with_component(tmp_path, "monitoring")).all(Alerts)
    rules = [rule for group in alerts.spec.groups for rule in group.rules]
    assert rules
    for rule in rules:
        assert f"### {rule.alert}\n" in handbook
        assert rule.annotations["runbook"] == f"docs/guides/alerts.md#{rule.alert.lower()}"


def test_promtool_accepts_the_alerts(tmp_path: Path) -> None:
    program = require_program("promtool", hint="apt-get install prometheus")
    (alerts,) = (each for each in render(with_component(tmp_path, "monitoring")) if each["kind"] == "PrometheusRule")
    (tmp_path / "alerts.yaml").write_text(yaml.safe_dump(alerts["spec"]))
    subprocess.run(
        [program, "check", "rules", str(tmp_path / "alerts.yaml")], check=True, capture_output=True, timeout=60
    )


def _series(name: str, values: str, **labels: str) -> dict[str, str]:
    labels_text = ", ".join(f'{key}="{value}"' for key, value in {"namespace": "sector", **labels}.items())
    return {"series": f"{name}{{{labels_text}}}", "values": f"{values}x60"}


def _took(name: str, seconds: str, **labels: str) -> list[dict[str, str]]:
    """A histogram with all values in the bucket that ends at this number of seconds."""
    bounds = ("0.1", "1.0", "5.0", "+Inf")
    counts = ["0+60" if bounds.index(bound) >= bounds.index(seconds) else "0" for bound in bounds]
    return [_series(f"{name}_bucket", count, le=bound, **labels) for bound, count in zip(bounds, counts, strict=True)]


_REQUESTS = "sector_http_request_duration_seconds"
_FIRES: dict[str, tuple[list[dict[str, str]], list[dict[str, str]]]] = {
    "SectorTicksStopped": ([_series("sector_api_tick", "7")], [_series("sector_api_tick", "7+100")]),
    "SectorApiDown": ([_series("up", "0", job="api")], [_series("up", "1", job="api")]),
    "SectorApiErrors": (
        [
            _series(f"{_REQUESTS}_count", rate, job="api", status=status)
            for status, rate in (("200", "0+90"), ("503", "0+9"))
        ],
        [
            _series(f"{_REQUESTS}_count", rate, job="api", status=status)
            for status, rate in (("200", "0+90"), ("404", "0+9"))
        ],
    ),
    "SectorOrdersRateLimited": (
        [
            _series(f"{_REQUESTS}_count", rate, job="api", method="POST", status=status)
            for status, rate in (("202", "0+90"), ("429", "0+9"))
        ],
        [_series(f"{_REQUESTS}_count", "0+90", job="api", method="POST", status="202")],
    ),
    "SectorOrdersPending": (
        [_series("sector_oldest_pending_order_age_seconds", "31")],
        [_series("sector_oldest_pending_order_age_seconds", "2")],
    ),
    "SectorTicksLate": (_took("sector_tick_lateness_seconds", "5.0"), _took("sector_tick_lateness_seconds", "0.1")),
    "SectorLeasesFlapping": (
        [_series("sector_lease_takeovers_total", "0+1"), _series("sector_sims_desired", "2")],
        [_series("sector_lease_takeovers_total", "0+1"), _series("sector_sims_desired", "100")],
    ),
    "SectorCommitConflicts": (
        [_series("sector_commit_conflicts_total", "0+9"), _series("sector_tick_duration_seconds_count", "0+90")],
        [_series("sector_commit_conflicts_total", "0+1"), _series("sector_tick_duration_seconds_count", "0+90")],
    ),
    "SectorApiSlow": (
        _took(_REQUESTS, "1.0", job="api", method="POST"),
        [*_took(_REQUESTS, "0.1", job="api", method="POST"), *_took(_REQUESTS, "5.0", job="viz", method="GET")],
    ),
    "SectorRedisMemoryHigh": (
        [_series("sector_redis_memory_ratio", "0.8")],
        [_series("sector_redis_memory_ratio", "0.6")],
    ),
    "SectorRedisSlow": (
        _took("sector_redis_round_trip_seconds", "1.0", command="WATCH"),
        _took("sector_redis_round_trip_seconds", "1.0", command="XREAD"),
    ),
    "SectorEventLoopLag": (
        _took("sector_event_loop_lag_seconds", "5.0", pod="viz-1"),
        _took("sector_event_loop_lag_seconds", "0.1", pod="viz-1"),
    ),
    "SectorSpectatorsDropped": (
        [_series("sector_viz_spectators_dropped_total", "0+2"), _series("sector_viz_spectators", "100")],
        [_series("sector_viz_spectators_dropped_total", "0"), _series("sector_viz_spectators", "100")],
    ),
}
"""By alert: samples that make it fire, and samples that do not. The other alerts use metrics of Kubernetes."""


def test_alerts_fire_exactly_when_they_should(tmp_path: Path) -> None:
    program = require_program("promtool", hint="apt-get install prometheus")
    rendered = Rendered.of(with_component(tmp_path, "monitoring"))
    (alerts,) = rendered.all(Alerts)
    names = {rule.alert for group in alerts.spec.groups for rule in group.rules if "sector_" in rule.expr}
    assert names <= set(_FIRES)
    (raw,) = (each for each in render(tmp_path / "k8s/overlays/with-monitoring") if each["kind"] == "PrometheusRule")
    (tmp_path / "alerts.yaml").write_text(yaml.safe_dump(raw["spec"]))
    tests = [
        {
            "interval": "1m",
            "input_series": series,
            "promql_expr_test": [
                {
                    "expr": f'count(ALERTS{{alertname="{name}", alertstate="firing"}}) or vector(0)',
                    "eval_time": "50m",
                    "exp_samples": [{"labels": "{}", "value": fires}],
                }
            ],
        }
        for name, cases in _FIRES.items()
        for fires, series in zip((1, 0), cases, strict=True)
    ]
    promtool_input = {"rule_files": ["alerts.yaml"], "evaluation_interval": "1m", "tests": tests}
    (tmp_path / "tests.yaml").write_text(yaml.safe_dump(promtool_input))
    run = subprocess.run(
        [program, "test", "rules", str(tmp_path / "tests.yaml")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
