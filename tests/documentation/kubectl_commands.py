"""The kubectl commands of the documents: what each one names, and the folder of manifests for which it is."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from documentation.code_blocks import PAGES

KINDS = {"deployment": "Deployment", "secret": "Secret", "namespace": "Namespace", "pod": "Pod", "pods": "Pod"}
_FOLDER = re.compile(r"(?:# for|-k) (k8s[\w/-]*)")
_SPAN = re.compile(r"`(kubectl [^`|]+)[^`]*`")
_WITH_VALUE = {"-n", "-o", "-l", "-k", "-f"}
_WITHOUT_OBJECTS = {"apply", "drain"}
_BY_POD = {"exec", "logs", "port-forward"}


@dataclass(frozen=True, slots=True)
class KubectlCommand:
    """One command, split into words. `program` is what `exec` runs."""

    page: str
    text: str
    folder: Path
    words: list[str]
    flags: list[tuple[str, str]]
    program: list[str]

    def __str__(self) -> str:
        return f"{self.page}: {self.text}"

    @property
    def verb(self) -> str:
        return self.words[0]

    @property
    def ports(self) -> list[int]:
        """Return the ports of the container that `port-forward` names."""
        return [int(word.rpartition(":")[2]) for word in self.words[2:]] if self.verb == "port-forward" else []

    def values(self, flag: str) -> list[str]:
        """Return the values of a flag, each time that it is there."""
        return [value for name, value in self.flags if name == flag]

    def objects(self) -> list[tuple[str, str]]:
        """Return kind and name of each object. Words in capitals are for the reader to replace."""
        if self.verb == "create":
            return [(KINDS[self.words[1]], self.words[-1])]
        words = self.words[2:] if self.verb == "rollout" else self.words[1:]
        if self.verb in _WITHOUT_OBJECTS or not words:
            return []
        if self.verb in _BY_POD:
            words = words[:1] if "/" in words[0] else ["pod", words[0]]
        kind, slash, name = words[0].partition("/")
        return [(KINDS[kind], each) for each in ([name] if slash else words[1:]) if not each.isupper()]


def kubectl_commands() -> Iterator[KubectlCommand]:
    """Yield the commands in the code blocks and in the text of all pages.

    A command is for the folder that its block names, else for the last one that its section names, else for `k8s`.
    """
    for path in sorted({path for pattern in PAGES for path in Path().glob(pattern)}):
        for section in re.split(r"^(?=##)", path.read_text(), flags=re.MULTILINE):
            folder = "k8s"
            for is_block, text in _parts(section):
                folder = next(iter(_FOLDER.findall(text)), folder) if is_block else folder
                for command in _commands(text) if is_block else _SPAN.findall(text):
                    yield _parse(str(path), command, folder)


def _parts(section: str) -> Iterator[tuple[bool, str]]:
    """Yield the shell blocks and the texts between code blocks: whether it is a block, and its text."""
    for number, part in enumerate(re.split(r"^```", section, flags=re.MULTILINE)):
        if number % 2 == 0:
            yield False, " ".join(part.split())
        elif part.startswith("sh\n"):
            yield True, part.removeprefix("sh\n")


def _commands(block: str) -> Iterator[str]:
    for line in block.splitlines():
        for part in re.split(r"&&|\|", re.sub(r"(^|\s+)#( .*)?$", "", line)):
            if part.strip().startswith("kubectl "):
                yield part.strip()


def _parse(page: str, text: str, folder: str) -> KubectlCommand:
    words = shlex.split(text)[1:]
    end = words.index("--") if "--" in words else len(words)
    rest, flags = list[str](), list[tuple[str, str]]()
    arguments = iter(words[:end])
    for word in arguments:
        if word in _WITH_VALUE:
            flags.append((word, next(arguments)))
        elif word.startswith("-"):
            name, _, value = word.partition("=")
            flags.append((name, value))
        else:
            rest.append(word)
    return KubectlCommand(page, text, Path(folder), rest, flags, words[end + 1 :])
