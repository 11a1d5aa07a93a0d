"""The documentation site: `./pants run docs:site` builds it from the Markdown files of the repository."""
