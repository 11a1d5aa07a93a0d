"""The readers of `.ci/texts.py`: a string is a text because of its position, and code is none."""

import pytest
from html_texts import read_html
from javascript_texts import read_javascript
from javascript_tokens import JavaScriptError
from lua_texts import read_lua
from shell_texts import read_shell
from shell_words import ShellError


def javascript_texts(code: str) -> list[str]:
    return [f"{each.kind}: {each.text}" for each in read_javascript(code)]


def shell_texts(script: str) -> list[str]:
    return [f"{each.kind}: {each.text}" for each in read_shell(script)]


@pytest.mark.parametrize(
    ("code", "texts"),
    [
        ('element.textContent = "Leave";', ["text: Leave"]),
        ("document.title = `${sim} · Sector`;", ["text: {} · Sector"]),
        ('setText(byId("rate"), worker ?? "none");', ["text: none"]),
        ('button.setAttribute("aria-label", isMoving ? "Pause" : "Play");', ["text: Pause", "text: Play"]),
        (
            'createElement("b", { class: "close", title: "Close", click: () => go("x") }, "all")',
            ["text: Close", "text: all"],
        ),
        ('list.append(createElement("small", {}, ` F${id}`), "free");', ["text:  F{}", "text: free"]),
        ('return { name: "error", text: won ? `${a} wins` : "draw", alarm: "" };', ["text: {} wins", "text: draw"]),
        ('throw new FrameError("truncated");', ["error: truncated"]),
        ('throw new ApiError(0, `unreachable: ${url}`, { cause: "x" in y });', ["error: unreachable: {}"]),
        ('class A extends Error { constructor() { super("damaged"); } }', ["error: damaged"]),
        ("console.info(`not loaded: ${error}`);", ["log: not loaded: {}"]),
        ('this.emit("error", "lost");', ["text: lost"]),
        (
            'const TEXTS = { won: (e) => (e.draw ? ["draw"] : [{ faction: e.f }, " wins"]) };',
            ["text: draw", "text:  wins"],
        ),
        (
            'function describeOwner(a) { if (a === "nil") return "free"; return a.map((b) => b ?? "natives"); }',
            ["text: free", "text: natives"],
        ),
        ("function formatMs(ms) { return `${ms < 1 ? '<1' : ms} ms`; }", ["text: {} ms"]),
        ('const NOTE = "The page tries again.";', ["text: The page tries again."]),
        ("const a = `tick ${`no. ${b} of` + c} is gone`;", ["text: tick {} is gone", "text: no. {} of"]),
        (r'const a = "It \"breaks\" the\u0020 page";', ['text: It "breaks" the  page']),
        ('const a = b / c; const d = /"one two"/.test("three four");', ["text: three four"]),
        (
            "readonly #message: string; f(a: Error): string { return `no answer within ${ms} ms`; }",
            ["text: no answer within {} ms"],
        ),
    ],
)
def test_texts_of_javascript_are_read(code: str, texts: list[str]) -> None:
    assert javascript_texts(code) == texts


@pytest.mark.parametrize(
    "code",
    [
        'import { a } from "./one two.js";',
        '// The page tries again.\n/* It says "one two". */',
        'byId("play-open").classList.toggle("is-open");',
        'createElement("li", { class: "row parts", role: "group", "data-type": "note" });',
        'document.querySelectorAll("link[rel=modulepreload], link[rel=stylesheet]");',
        'matchMedia("(prefers-color-scheme: light)");',
        'context.font = "11px system-ui, sans-serif";',
        "const nameFont = `${size}px system-ui, sans-serif`;",
        'if (kind === "the kind" || "first two" in map) switch (a) { case "one two": }',
        'const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };',
        'this.emit("change", "undefined");',
        'setText(a, "▶ ");',
        "setText(a, `${one} ${two}`);",
    ],
)
def test_code_of_javascript_is_no_text(code: str) -> None:
    assert javascript_texts(code) == []


@pytest.mark.parametrize("code", ["f(a", "f(a]", 'a = "b', "a = `b", "a = `${b`", "}"])
def test_javascript_that_cannot_be_read_is_an_error(code: str) -> None:
    with pytest.raises(JavaScriptError, match="line 2: "):
        read_javascript(f"\n{code}")


def test_texts_of_html_are_elements_and_labels() -> None:
    page = """<title>Sector</title><style>p { color: red }</style><script>say("one two")</script>
    <meta name="description" content="A world, live."><meta name="viewport" content="width=device-width">
    <p id="map-help" class="visually hidden">Arrow keys
      pan.</p><button title="Zoom in" aria-label="Zoom in">+</button><!-- no text -->"""
    assert [(each.line, each.text) for each in read_html(page)] == [
        (1, "Sector"),
        (2, "A world, live."),
        (3, "Arrow keys pan."),
        (4, "Zoom in"),
        (4, "Zoom in"),
    ]


@pytest.mark.parametrize(
    ("script", "texts"),
    [
        ('echo "lock: $name is missing" >&2', ["error: lock: {} is missing"]),
        ("echo usage: run FILE", ["text: usage: run FILE"]),
        ("printf 'wrote %s to %s\\n' \"$a\" disk", ["text: wrote {} to disk"]),
        (
            'say() { printf \'x: %s\\n\' "$*" >&2; }\ndie() { say "$@"; exit 1; }\na || die "failed:" \\\n  "try $b"',
            ["error: x: {}", "error: failed: try {}"],
        ),
        ('x=$(find_it "$1" || { echo "not found" >&2; exit 1; })', ["error: not found"]),
        ('case $1 in a) echo "one two" ;; *) exit 2 ;; esac', ["text: one two"]),
        ('if [ "$a" ]; then echo "$(($(date +%s) - b)) seconds ${c:-$(d {})}"; fi', ["text: {} seconds {}"]),
        ("echo 'it costs $5' \"and \\$a\" # of course", ["text: it costs $5 and $a"]),
    ],
)
def test_texts_of_shell_scripts_are_what_they_print(script: str, texts: list[str]) -> None:
    assert shell_texts(script) == texts


@pytest.mark.parametrize(
    "script",
    [
        '# echo "one two"',
        'echo "one two" | wc -w',
        'printf "export A=%s to all" "$a" >.env',
        'a=$(echo "one two")',
        "trap 'echo one two' EXIT",
        'printf "%s\\n" "$folder/bin/uv"',
        'run() { "$@"; }\nrun one two',
    ],
)
def test_data_and_code_of_shell_scripts_are_no_texts(script: str) -> None:
    assert shell_texts(script) == []


@pytest.mark.parametrize("script", ["cat <<EOF\none\nEOF\n", "echo 'a", 'echo "a', "echo $(a", "echo `a`", "echo ${a"])
def test_a_shell_script_that_cannot_be_read_is_an_error(script: str) -> None:
    with pytest.raises(ShellError, match="line "):
        read_shell(script)


def test_texts_of_lua_are_its_error_replies() -> None:
    script = """-- error_reply('a comment')
    if a then return redis.error_reply('ERR the limit is ' .. limit(1, 2) .. ' orders') end
    if b then error("no head", 2) end
    if c then return { err = 'ERR ' .. reason } end
    if err == 'timeout' then return { 'too fast', rate } end"""
    assert [(each.line, each.kind, each.text) for each in read_lua(script)] == [
        (2, "error", "ERR the limit is {} orders"),
        (3, "error", "no head"),
        (4, "error", "ERR {}"),
    ]
