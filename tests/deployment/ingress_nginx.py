"""A real nginx that follows the Ingress objects, as ingress-nginx translates them.

It follows the documentation of ingress-nginx: the annotations below (any other is refused); the longest path first; if one Ingress
of a host has regular expressions, all its paths are regular expressions (user guide, "Ingress Path Matching"); a request that could
not be sent goes to the next upstream.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path as File

from deployment.kinds import Ingress, Path
from fixtures.nginx import Nginx

_PREFIX = "nginx.ingress.kubernetes.io/"
_UNDERSTOOD = {
    "use-regex",
    "rewrite-target",
    "proxy-body-size",
    "proxy-buffering",
    "proxy-read-timeout",
    "proxy-send-timeout",
    "limit-connections",
    "limit-rps",
    "limit-burst-multiplier",
    "affinity",
    "session-cookie-name",
    "session-cookie-path",
    "session-cookie-samesite",
    "session-cookie-change-on-failure",
}
_SERVERS = """
  map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
  {zones}
  {upstreams}
  server {{ listen 127.0.0.1:{port} default_server; return 404; }}
  {servers}
"""


class IngressProxy:
    """nginx on a port of this machine. `endpoints` has the ports of the pods of each Service."""

    def __init__(self, ingresses: Sequence[Ingress], program: str, port: int, directory: File) -> None:
        for ingress in ingresses:
            unknown = {each.removeprefix(_PREFIX) for each in ingress.metadata.annotations} - _UNDERSTOOD
            assert not unknown, f"annotations that this test does not know: {unknown}"
        self._ingresses, self.port = ingresses, port
        self._nginx = Nginx(program, port, directory)

    def open(self, endpoints: Mapping[str, Sequence[int]]) -> None:
        """Start nginx, or reload it with other endpoints. Open connections stay open."""
        self._nginx.open(self._servers(endpoints))

    def close(self) -> None:
        """End nginx."""
        self._nginx.close()

    def _servers(self, endpoints: Mapping[str, Sequence[int]]) -> str:
        by_host: dict[str, list[tuple[Path, Ingress]]] = {}
        for ingress in self._ingresses:
            for rule in ingress.spec.rules:
                by_host.setdefault(rule.host, []).extend((path, ingress) for path in rule.http.paths)
        servers = [
            f"server {{ listen 127.0.0.1:{self.port}; server_name {host};\n{_locations(paths)} }}"
            for host, paths in by_host.items()
        ]
        upstreams = [_upstream(ingress, endpoints) for ingress in self._ingresses]
        zones = [_zones(ingress) for ingress in self._ingresses]
        return _SERVERS.format(
            port=self.port,
            zones="\n".join(zones),
            upstreams="\n".join(upstreams),
            servers="\n".join(servers),
        )


def _upstream(ingress: Ingress, endpoints: Mapping[str, Sequence[int]]) -> str:
    """One upstream for each Ingress, which has one Service here."""
    (service,) = {path.backend.service.name for rule in ingress.spec.rules for path in rule.http.paths}
    ports = "".join(f" server 127.0.0.1:{port};" for port in endpoints[service])
    annotations = _annotations(ingress)
    if annotations.get("affinity") != "cookie":
        return f"upstream {ingress.metadata.name} {{{ports} }}"
    cookie = annotations["session-cookie-name"]
    variable = cookie.replace("-", "_")
    return (
        f"map $http_cookie ${variable}_said {{ default ''; '~{cookie}=(?<{variable}_got>[^;]+)' ${variable}_got; }}\n"
        f"map ${variable}_said ${variable}_key {{ '' $request_id; default ${variable}_said; }}\n"
        f"map ${variable}_said ${variable}_set {{ default ''; '' '{cookie}=$request_id; Path={annotations['session-cookie-path']};"
        f" HttpOnly; SameSite={annotations['session-cookie-samesite']}'; }}\n"
        f"upstream {ingress.metadata.name} {{ hash ${variable}_key consistent;{ports} }}"
    )


def _zones(ingress: Ingress) -> str:
    """The zones that count requests and connections by address."""
    annotations, name = _annotations(ingress), ingress.metadata.name
    rate = (
        f"limit_req_zone $binary_remote_addr zone={name}_rps:5m rate={annotations['limit-rps']}r/s;"
        if "limit-rps" in annotations
        else ""
    )
    return f"{rate} limit_conn_zone $binary_remote_addr zone={name}_conn:5m;"


def _limits(ingress: Ingress) -> list[str]:
    annotations, name = _annotations(ingress), ingress.metadata.name
    lines = []
    if "limit-rps" in annotations:
        burst = int(annotations["limit-rps"]) * int(annotations.get("limit-burst-multiplier", "5"))
        lines.append(f"limit_req zone={name}_rps burst={burst} nodelay;")
    if "limit-connections" in annotations:
        lines.append(f"limit_conn {name}_conn {annotations['limit-connections']};")
    return lines


def _locations(paths: Sequence[tuple[Path, Ingress]]) -> str:
    expressions = any(_annotations(ingress).get("use-regex") == "true" for _, ingress in paths)
    locations = []
    for path, ingress in sorted(paths, key=lambda each: -len(each[0].path)):
        annotations, name = _annotations(ingress), ingress.metadata.name
        where = f'~* "^{path.path}"' if expressions else path.path
        lines = [
            (
                f"rewrite \"(?i){path.path}\" {annotations['rewrite-target']} break;"
                if "rewrite-target" in annotations
                else ""
            ),
            *_limits(ingress),
            f"client_max_body_size {annotations.get('proxy-body-size', '1m')};",
            f"proxy_buffering {annotations.get('proxy-buffering', 'on')};",
            f"proxy_read_timeout {annotations.get('proxy-read-timeout', '60')}s;",
            f"proxy_send_timeout {annotations.get('proxy-send-timeout', '60')}s;",
            "proxy_connect_timeout 5s; proxy_http_version 1.1; proxy_next_upstream error timeout; proxy_next_upstream_tries 3;",
            "proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme;",
            "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;",
            (
                f"add_header Set-Cookie ${annotations['session-cookie-name'].replace('-', '_')}_set always;"
                if "affinity" in annotations
                else ""
            ),
            f"proxy_pass http://{name};",
        ]
        locations.append(f"location {where} {{ {' '.join(lines)} }}")
    return "\n".join(locations)


def _annotations(ingress: Ingress) -> dict[str, str]:
    return {key.removeprefix(_PREFIX): value for key, value in ingress.metadata.annotations.items()}
