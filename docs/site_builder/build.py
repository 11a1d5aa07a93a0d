"""`./pants run docs:site -- [--output FOLDER] [--serve [--port N]]`: builds the documentation site, and serves it."""

import argparse
import functools
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from site_builder.api_reference import write_api_reference
from site_builder.navigation import Navigation, build_navigation
from site_builder.pages import DeadLinkError, Pages, first_pages

_VENDOR = Path(__file__).parent / "vendor"
_MERMAID = "assets/mermaid.tiny.js"


def build_site(repository: Path, output: Path) -> None:
    """Build the site in strict mode into `output`, which it replaces. Raises CalledProcessError, DeadLinkError."""
    with tempfile.TemporaryDirectory(prefix="sector-site-") as temporary:
        project = Path(temporary)
        folder = project / "docs"
        folder.mkdir()
        pages = Pages(repository, folder)
        pages.write()
        in_navigation = [path for page in first_pages(repository) if (path := pages.site_path(page)) is not None]
        in_navigation += write_api_reference(repository, folder)
        (folder / _MERMAID).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_VENDOR / "mermaid.tiny.js", folder / _MERMAID)
        config = project / "mkdocs.yml"
        # JSON is YAML.
        config.write_text(json.dumps(_config(repository, build_navigation(folder, in_navigation))))
        command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean", "--config-file", str(config)]
        subprocess.run(command, check=True, cwd=project)
        shutil.rmtree(output, ignore_errors=True)
        shutil.copytree(project / "site", output)


def _config(repository: Path, navigation: Navigation) -> dict[str, object]:
    sources = [str(path) for path in sorted(repository.glob("packages/*/src"))]
    python = {
        "paths": sources,
        "options": {
            "allow_inspection": False,
            "docstring_style": "google",
            "heading_level": 2,
            "members_order": "source",
            "merge_init_into_class": True,
            "separate_signature": True,
            "show_signature_annotations": True,
            "show_source": False,
        },
    }
    return {
        "site_name": "Sector",
        "site_description": "A persistent strategy world",
        "docs_dir": "docs",
        "site_dir": "site",
        "nav": navigation,
        # The fonts of the browser, so that no page loads a font from another host.
        "theme": {
            "name": "material",
            "font": False,
            "features": ["content.code.copy", "navigation.indexes", "search.highlight", "search.suggest"],
        },
        "extra": {"generator": False},
        "extra_javascript": [_MERMAID],
        "plugins": ["search", {"mkdocstrings": {"handlers": {"python": python}}}],
        "markdown_extensions": [
            "admonition",
            "attr_list",
            "tables",
            # Headings have the same anchors as on GitHub.
            {"toc": {"permalink": True, "slugify": {"kwds": {"case": "lower"}}}},
            {"pymdownx.highlight": {"anchor_linenums": True, "line_spans": "__span"}},
            {
                "pymdownx.superfences": {
                    "custom_fences": [
                        {"name": "mermaid", "class": "mermaid", "format": "pymdownx.superfences.fence_code_format"}
                    ]
                }
            },
        ],
    }


def serve(folder: Path, port: int) -> None:
    """Serve the site on this machine until Ctrl-C."""
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        print(
            f"The documentation is at http://127.0.0.1:{server.server_address[1]}. Ctrl-C stops the server.", flush=True
        )
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print("stopped.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the site, and serve it if the options say so; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="./pants run docs:site --",
        description="Builds the documentation site, and serves it.",
        epilog="example: ./pants run docs:site -- --serve --port 8080",
    )
    parser.add_argument(
        "--output", type=Path, default=Path("dist/site"), help="folder to replace (default: %(default)s)"
    )
    parser.add_argument(
        "--repository", type=Path, default=Path(), help="checkout to read (default: the current folder)"
    )
    parser.add_argument("--serve", action="store_true", help="serve the site on 127.0.0.1")
    parser.add_argument(
        "--port", type=int, default=8080, help="port of --serve (default: %(default)s; 0: any free port)"
    )
    options = parser.parse_args(arguments)
    try:
        build_site(options.repository.resolve(), options.output)
    except subprocess.CalledProcessError as error:
        print(f"site: the build failed with exit code {error.returncode}; the reasons are above", file=sys.stderr)
        return 1
    except DeadLinkError as error:
        print(f"site: {error}", file=sys.stderr)
        return 1
    print(f"The site is in {options.output}.")
    if options.serve:
        serve(options.output, options.port)
    return 0


if __name__ == "__main__":
    sys.exit(main())
