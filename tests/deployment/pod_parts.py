"""The types of the parts of a pod in these manifests. As in `kinds`, unknown fields are rejected."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

type Port = int | str


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=True)


class Meta(Part):
    name: str
    namespace: str | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class Named(Part):
    name: str
    optional: bool = False


class EnvFrom(Part):
    config_map_ref: Named | None = None
    secret_ref: Named | None = None


class HttpGet(Part):
    path: str
    port: Port


class Command(Part):
    command: list[str]


class TcpSocket(Part):
    port: Port


class Probe(Part):
    http_get: HttpGet | None = None
    exec: Command | None = None
    tcp_socket: TcpSocket | None = None
    period_seconds: int = 10
    timeout_seconds: int = 1
    failure_threshold: int = 3


class Sleep(Part):
    seconds: int


class Handler(Part):
    sleep: Sleep


class Lifecycle(Part):
    pre_stop: Handler


class Resources(Part):
    requests: dict[str, str]
    limits: dict[str, str]


class Capabilities(Part):
    drop: list[str]


class ContainerSecurity(Part):
    allow_privilege_escalation: Literal[False]
    read_only_root_filesystem: Literal[True]
    capabilities: Capabilities


class ContainerPort(Part):
    name: str
    container_port: int


class Mount(Part):
    name: str
    mount_path: str
    read_only: bool = False


class Container(Part):
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


class Seccomp(Part):
    type: Literal["RuntimeDefault"]


class PodSecurity(Part):
    run_as_non_root: Literal[True]
    run_as_user: int
    run_as_group: int
    fs_group: int | None = None
    fs_group_change_policy: str | None = None
    seccomp_profile: Seccomp


class Item(Part):
    key: str
    path: str


class SecretItems(Named):
    items: list[Item]


class Source(Part):
    config_map: Named | None = None
    secret: SecretItems | None = None


class Projected(Part):
    sources: list[Source]


class Volume(Part):
    name: str
    projected: Projected


class Selector(Part):
    match_labels: dict[str, str] = {}


class Spread(Part):
    max_skew: int
    topology_key: str
    when_unsatisfiable: str
    label_selector: Selector


class PodSpec(Part):
    service_account_name: str
    automount_service_account_token: Literal[False]
    enable_service_links: Literal[False]
    termination_grace_period_seconds: int
    security_context: PodSecurity
    topology_spread_constraints: list[Spread] = []
    containers: Annotated[list[Container], Field(min_length=1, max_length=1)]
    volumes: list[Volume] = []


class PodTemplate(Part):
    class _Meta(Part):
        labels: dict[str, str]

    metadata: _Meta
    spec: PodSpec
