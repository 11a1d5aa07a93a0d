"""The limits of the pods, as the manifests state them."""

from pathlib import Path

import yaml

_UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30}


def pod_bytes(service: str) -> int:
    """Return the memory that the pod of a service may have."""
    for manifest in yaml.safe_load_all(Path(f"k8s/base/{service}.yaml").read_text()):
        if manifest["kind"] == "Deployment":
            (container,) = manifest["spec"]["template"]["spec"]["containers"]
            return _bytes(container["resources"]["limits"]["memory"])
    raise LookupError(f"no Deployment of {service}")


def _bytes(quantity: str) -> int:
    return int(quantity[:-2]) * _UNITS[quantity[-2:]]
