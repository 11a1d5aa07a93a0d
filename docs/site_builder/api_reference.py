"""Pages of the API reference: one for each package, and one for each of its public modules.

mkdocstrings reads the docstrings from the source text. Nothing is imported.
"""

import ast
from pathlib import Path

FOLDER = "reference/python"
_INDEX = (
    "# Python packages",
    "",
    "The public names of each package, from their docstrings.",
    "",
    "| package | purpose |",
    "|---|---|",
)


def write_api_reference(repository: Path, folder: Path) -> list[str]:
    """Write the pages below `folder`, and return their paths."""
    (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    paths, rows = [f"{FOLDER}/README.md"], []
    for package in public_packages(repository):
        name = package_name(package)
        path = f"{FOLDER}/{name}.md"
        (folder / path).write_text(f"# {name}\n\n{_directive(name, with_modules=not has_names(package))}")
        rows.append(f"| [{name}]({name}.md) | {first_sentence(package / '__init__.py')} |")
        paths.append(path)
    (folder / paths[0]).write_text("\n".join([*_INDEX, *rows, ""]))
    return paths


def public_packages(repository: Path) -> list[Path]:
    """Return the folders of the packages that others import."""
    return sorted(path.parent for path in repository.glob("packages/*/src/sector/*/__init__.py"))


def package_name(package: Path) -> str:
    """Return the name by which Python imports a package."""
    parts = package.parts
    return ".".join(parts[len(parts) - parts[::-1].index("src") :])


def first_sentence(module: Path) -> str:
    """Return the first line of a module's docstring."""
    return (ast.get_docstring(ast.parse(module.read_text())) or "").partition("\n")[0]


def has_names(package: Path) -> bool:
    """Return whether a package itself has public names. Otherwise its modules have them."""
    return "__all__" in (package / "__init__.py").read_text()


def _directive(name: str, *, with_modules: bool) -> str:
    modules = "      show_submodules: true\n" if with_modules else ""
    return f"::: {name}\n    options:\n      show_root_heading: false\n      show_root_toc_entry: false\n{modules}"
