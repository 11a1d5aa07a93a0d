"""The kinds of Kubernetes objects that these manifests have, as far as they use them. An unknown field is rejected.

If you add a field to a manifest, add it here and define its meaning for the tests that run manifests with Docker."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from pydantic.alias_generators import to_camel

from deployment.pod_parts import (
    ContainerPort,
    ContainerSecurity,
    EnvFrom,
    Meta,
    Named,
    Part,
    PodSecurity,
    PodTemplate,
    Resources,
    Selector,
)


class Rolling(Part):
    max_unavailable: int
    max_surge: int


class Strategy(Part):
    type: Literal["RollingUpdate", "Recreate"]
    rolling_update: Rolling | None = None


class DeploymentSpec(Part):
    replicas: int | None = None
    revision_history_limit: int
    selector: Selector
    strategy: Strategy
    template: PodTemplate


class Claim(Part):
    class _Spec(Part):
        class _Resources(Part):
            requests: dict[str, str]

        access_modes: list[str]
        resources: _Resources

    api_version: str | None = None
    kind: str | None = None
    metadata: Meta
    spec: _Spec


class StatefulSetSpec(Part):
    service_name: str
    replicas: int
    selector: Selector
    template: PodTemplate
    volume_claim_templates: list[Claim]


class ServicePort(Part):
    name: str
    port: int
    target_port: str
    node_port: int | None = None


class ServiceSpec(Part):
    type: Literal["ClusterIP", "NodePort"] = "ClusterIP"
    selector: dict[str, str]
    ports: list[ServicePort]


class IpBlock(Part):
    cidr: str


class Peer(Part):
    pod_selector: Selector | None = None
    namespace_selector: Selector | None = None
    ip_block: IpBlock | None = None


class PolicyPort(Part):
    port: int
    protocol: Literal["TCP", "UDP"] = "TCP"


class IngressRule(Part):
    from_: list[Peer] | None = Field(default=None, alias="from")
    ports: list[PolicyPort]


class EgressRule(Part):
    to: list[Peer]
    ports: list[PolicyPort]


class NetworkPolicySpec(Part):
    pod_selector: Selector
    policy_types: list[Literal["Ingress", "Egress"]]
    ingress: list[IngressRule] = Field(default_factory=list)
    egress: list[EgressRule] = Field(default_factory=list)


class PortName(Part):
    name: str


class ServiceBackend(Part):
    name: str
    port: PortName


class Backend(Part):
    service: ServiceBackend


class Path(Part):
    path: str
    path_type: Literal["Prefix", "ImplementationSpecific"]
    backend: Backend


class Paths(Part):
    paths: list[Path]


class Rule(Part):
    host: str
    http: Paths


class Tls(Part):
    hosts: list[str]
    secret_name: str


class IngressSpec(Part):
    ingress_class_name: Literal["nginx"]
    rules: list[Rule]
    tls: list[Tls] = Field(default_factory=list)


class DisruptionSpec(Part):
    max_unavailable: int
    selector: Selector


class Target(Part):
    api_version: str
    kind: str
    name: str


class ScalerSpec(BaseModel):
    """Only the fields that the tests use."""

    model_config = ConfigDict(alias_generator=to_camel)
    scale_target_ref: Target
    min_replicas: int
    max_replicas: int


class GatewaySpec(Part):
    class _Listener(Part):
        name: str
        protocol: Literal["HTTP", "HTTPS"]
        port: int
        hostname: str

    gateway_class_name: str
    listeners: list[_Listener]


class RouteSpec(Part):
    """The type in the standard channel of gateway.networking.k8s.io/v1."""

    class _Rule(Part):
        class _Match(Part):
            class _Path(Part):
                type: Literal["PathPrefix"]
                value: str

            path: _Path

        class _Filter(Part):
            class _Rewrite(Part):
                class _Replaced(Part):
                    type: Literal["ReplacePrefixMatch"]
                    replace_prefix_match: str

                path: _Replaced

            type: Literal["URLRewrite"]
            url_rewrite: _Rewrite = Field(alias="urlRewrite")

        class _Timeouts(Part):
            request: str
            backend_request: str

        class _Backend(Part):
            name: str
            port: int

        matches: list[_Match]
        filters: list[_Filter] = Field(default_factory=list)
        timeouts: _Timeouts
        backend_refs: list[_Backend]

    parent_refs: list[Named]
    hostnames: list[str]
    rules: list[_Rule]


class MonitorSpec(Part):
    """The type in monitoring.coreos.com/v1."""

    class _Endpoint(Part):
        port: str
        path: str
        interval: str

    class _Selector(Part):
        class _Expression(Part):
            key: str
            operator: Literal["In"]
            values: list[str]

        match_expressions: list[_Expression]

    job_label: str
    selector: _Selector
    pod_metrics_endpoints: list[_Endpoint]


class JobSpec(Part):
    """The pods of a Job end by themselves, so they have no probes. The Compose tests run the same load test."""

    class _Template(Part):
        class _Meta(Part):
            labels: dict[str, str]

        class _Spec(Part):
            class _Container(Part):
                name: str
                image: str
                image_pull_policy: Literal["IfNotPresent"]
                args: list[str]
                env_from: list[EnvFrom] = Field(default_factory=list)
                ports: list[ContainerPort] = Field(default_factory=list)
                resources: Resources
                security_context: ContainerSecurity

            restart_policy: Literal["Never"]
            automount_service_account_token: Literal[False]
            enable_service_links: Literal[False]
            security_context: PodSecurity
            containers: Annotated[list[_Container], Field(min_length=1, max_length=1)]

        metadata: _Meta
        spec: _Spec

    parallelism: int = 1
    completions: int = 1
    backoff_limit: Literal[0]
    active_deadline_seconds: int
    ttl_seconds_after_finished: int
    template: _Template


class AlertSpec(Part):
    """The type in monitoring.coreos.com/v1."""

    class _Group(Part):
        class _Alert(Part):
            alert: str
            expr: str
            for_: str = Field(default="0s", alias="for")
            labels: dict[Literal["severity"], Literal["warning", "critical"]]
            annotations: dict[Literal["summary", "runbook"], str]

        name: str
        rules: list[_Alert]

    groups: list[_Group]


class _Object(Part):
    api_version: str
    metadata: Meta


class Deployment(_Object):
    kind: Literal["Deployment"]
    spec: DeploymentSpec


class StatefulSet(_Object):
    kind: Literal["StatefulSet"]
    spec: StatefulSetSpec


class Service(_Object):
    kind: Literal["Service"]
    spec: ServiceSpec


class ConfigMap(_Object):
    kind: Literal["ConfigMap"]
    data: dict[str, str]


class Secret(_Object):
    kind: Literal["Secret"]
    type: str = "Opaque"
    data: dict[str, str]


class NetworkPolicy(_Object):
    kind: Literal["NetworkPolicy"]
    spec: NetworkPolicySpec


class Ingress(_Object):
    kind: Literal["Ingress"]
    spec: IngressSpec


class DisruptionBudget(_Object):
    kind: Literal["PodDisruptionBudget"]
    spec: DisruptionSpec


class Autoscaler(_Object):
    kind: Literal["HorizontalPodAutoscaler"]
    spec: ScalerSpec


class ServiceAccount(_Object):
    kind: Literal["ServiceAccount"]
    automount_service_account_token: Literal[False]


class Namespace(_Object):
    kind: Literal["Namespace"]


class Gateway(_Object):
    kind: Literal["Gateway"]
    spec: GatewaySpec


class Route(_Object):
    kind: Literal["HTTPRoute"]
    spec: RouteSpec


class Monitor(_Object):
    kind: Literal["PodMonitor"]
    spec: MonitorSpec


class Alerts(_Object):
    kind: Literal["PrometheusRule"]
    spec: AlertSpec


class Job(_Object):
    kind: Literal["Job"]
    spec: JobSpec


type Workload = Deployment | StatefulSet
type Object = Annotated[
    Deployment
    | StatefulSet
    | Service
    | ConfigMap
    | Secret
    | NetworkPolicy
    | Ingress
    | DisruptionBudget
    | Autoscaler
    | ServiceAccount
    | Namespace
    | Gateway
    | Route
    | Monitor
    | Job
    | Alerts,
    Field(discriminator="kind"),
]
OBJECT: TypeAdapter[Object] = TypeAdapter(Object)
