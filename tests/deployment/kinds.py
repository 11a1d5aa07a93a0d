"""The kinds of Kubernetes objects that these manifests have, as far as they use them: a field that is not here is refused.

So whoever adds one to a manifest has to say here what it means where the tests run the manifest with Docker."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from pydantic.alias_generators import to_camel

type Port = int | str


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=True)


class Meta(_Part):
    name: str
    namespace: str | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class Named(_Part):
    name: str
    optional: bool = False


class EnvFrom(_Part):
    config_map_ref: Named | None = None
    secret_ref: Named | None = None


class HttpGet(_Part):
    path: str
    port: Port


class Command(_Part):
    command: list[str]


class TcpSocket(_Part):
    port: Port


class Probe(_Part):
    http_get: HttpGet | None = None
    exec: Command | None = None
    tcp_socket: TcpSocket | None = None
    period_seconds: int = 10
    timeout_seconds: int = 1
    failure_threshold: int = 3


class Sleep(_Part):
    seconds: int


class Handler(_Part):
    sleep: Sleep


class Lifecycle(_Part):
    pre_stop: Handler


class Resources(_Part):
    requests: dict[str, str]
    limits: dict[str, str]


class Capabilities(_Part):
    drop: list[str]


class ContainerSecurity(_Part):
    allow_privilege_escalation: Literal[False]
    read_only_root_filesystem: Literal[True]
    capabilities: Capabilities


class ContainerPort(_Part):
    name: str
    container_port: int


class Mount(_Part):
    name: str
    mount_path: str
    read_only: bool = False


class Container(_Part):
    name: str
    image: str
    image_pull_policy: Literal["IfNotPresent"]
    command: list[str] | None = None
    env_from: list[EnvFrom] = []
    ports: list[ContainerPort]
    startup_probe: Probe
    liveness_probe: Probe
    readiness_probe: Probe
    lifecycle: Lifecycle | None = None
    resources: Resources
    security_context: ContainerSecurity
    volume_mounts: list[Mount] = []


class Seccomp(_Part):
    type: Literal["RuntimeDefault"]


class PodSecurity(_Part):
    run_as_non_root: Literal[True]
    run_as_user: int
    run_as_group: int
    fs_group: int | None = None
    fs_group_change_policy: str | None = None
    seccomp_profile: Seccomp


class Source(_Part):
    config_map: Named | None = None
    secret: Named | None = None


class Projected(_Part):
    sources: list[Source]


class Volume(_Part):
    name: str
    projected: Projected


class Selector(_Part):
    match_labels: dict[str, str] = {}


class Spread(_Part):
    max_skew: int
    topology_key: str
    when_unsatisfiable: str
    label_selector: Selector


class PodSpec(_Part):
    service_account_name: str
    automount_service_account_token: Literal[False]
    enable_service_links: Literal[False]
    termination_grace_period_seconds: int
    security_context: PodSecurity
    topology_spread_constraints: list[Spread] = []
    containers: Annotated[list[Container], Field(min_length=1, max_length=1)]
    volumes: list[Volume] = []


class PodTemplate(_Part):
    class _Meta(_Part):
        labels: dict[str, str]

    metadata: _Meta
    spec: PodSpec


class Rolling(_Part):
    max_unavailable: int
    max_surge: int


class Strategy(_Part):
    type: Literal["RollingUpdate", "Recreate"]
    rolling_update: Rolling | None = None


class DeploymentSpec(_Part):
    replicas: int | None = None
    revision_history_limit: int
    selector: Selector
    strategy: Strategy
    template: PodTemplate


class Claim(_Part):
    class _Spec(_Part):
        class _Resources(_Part):
            requests: dict[str, str]

        access_modes: list[str]
        resources: _Resources

    api_version: str | None = None
    kind: str | None = None
    metadata: Meta
    spec: _Spec


class StatefulSetSpec(_Part):
    service_name: str
    replicas: int
    selector: Selector
    template: PodTemplate
    volume_claim_templates: list[Claim]


class ServicePort(_Part):
    name: str
    port: int
    target_port: str
    node_port: int | None = None


class ServiceSpec(_Part):
    type: Literal["ClusterIP", "NodePort"] = "ClusterIP"
    selector: dict[str, str]
    ports: list[ServicePort]


class IpBlock(_Part):
    cidr: str


class Peer(_Part):
    pod_selector: Selector | None = None
    namespace_selector: Selector | None = None
    ip_block: IpBlock | None = None


class PolicyPort(_Part):
    port: int
    protocol: Literal["TCP", "UDP"] = "TCP"


class IngressRule(_Part):
    from_: list[Peer] | None = Field(default=None, alias="from")
    ports: list[PolicyPort]


class EgressRule(_Part):
    to: list[Peer]
    ports: list[PolicyPort]


class NetworkPolicySpec(_Part):
    pod_selector: Selector
    policy_types: list[Literal["Ingress", "Egress"]]
    ingress: list[IngressRule] = []
    egress: list[EgressRule] = []


class PortName(_Part):
    name: str


class ServiceBackend(_Part):
    name: str
    port: PortName


class Backend(_Part):
    service: ServiceBackend


class Path(_Part):
    path: str
    path_type: Literal["Prefix", "ImplementationSpecific"]
    backend: Backend


class Paths(_Part):
    paths: list[Path]


class Rule(_Part):
    host: str
    http: Paths


class Tls(_Part):
    hosts: list[str]
    secret_name: str


class IngressSpec(_Part):
    ingress_class_name: Literal["nginx"]
    rules: list[Rule]
    tls: list[Tls] = []


class DisruptionSpec(_Part):
    max_unavailable: int
    selector: Selector


class Target(_Part):
    api_version: str
    kind: str
    name: str


class ScalerSpec(BaseModel):
    """Only what the tests look at."""

    model_config = ConfigDict(alias_generator=to_camel)
    scale_target_ref: Target
    min_replicas: int
    max_replicas: int


class GatewaySpec(_Part):
    class _Listener(_Part):
        name: str
        protocol: Literal["HTTP", "HTTPS"]
        port: int
        hostname: str

    gateway_class_name: str
    listeners: list[_Listener]


class RouteSpec(_Part):
    """As gateway.networking.k8s.io/v1 has it, in its standard channel."""

    class _Rule(_Part):
        class _Match(_Part):
            class _Path(_Part):
                type: Literal["PathPrefix"]
                value: str

            path: _Path

        class _Filter(_Part):
            class _Rewrite(_Part):
                class _Replaced(_Part):
                    type: Literal["ReplacePrefixMatch"]
                    replace_prefix_match: str

                path: _Replaced

            type: Literal["URLRewrite"]
            url_rewrite: _Rewrite = Field(alias="urlRewrite")

        class _Timeouts(_Part):
            request: str
            backend_request: str

        class _Backend(_Part):
            name: str
            port: int

        matches: list[_Match]
        filters: list[_Filter] = []
        timeouts: _Timeouts
        backend_refs: list[_Backend]

    parent_refs: list[Named]
    hostnames: list[str]
    rules: list[_Rule]


class MonitorSpec(_Part):
    """As monitoring.coreos.com/v1 has it."""

    class _Endpoint(_Part):
        port: str
        path: str
        interval: str

    selector: Selector
    endpoints: list[_Endpoint]


class AlertSpec(_Part):
    """As monitoring.coreos.com/v1 has it."""

    class _Group(_Part):
        class _Alert(_Part):
            alert: str
            expr: str
            for_: str = Field(default="0s", alias="for")
            labels: dict[Literal["severity"], Literal["warning", "critical"]]
            annotations: dict[Literal["summary", "runbook"], str]

        name: str
        rules: list[_Alert]

    groups: list[_Group]


class _Object(_Part):
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
    kind: Literal["ServiceMonitor"]
    spec: MonitorSpec


class Alerts(_Object):
    kind: Literal["PrometheusRule"]
    spec: AlertSpec


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
    | Alerts,
    Field(discriminator="kind"),
]
OBJECT: TypeAdapter[Object] = TypeAdapter(Object)
