"""PTX text -> functions, variables and instructions; no meaning yet."""

import re
from dataclasses import dataclass, field

from tests.ptx.errors import PTXError
from tests.ptx.kinds import DTYPES


@dataclass(frozen=True)
class Variable:
    """A variable in a state space: `count` elements of `kind`; None for an array whose size the launch decides."""

    space: str
    name: str
    kind: str
    count: int | None
    align: int
    values: tuple[int | str, ...] = ()


@dataclass(frozen=True)
class Instruction:
    """One instruction: guard predicate, opcode with its modifiers, operands as written."""

    text: str
    guard: str | None
    negated: bool
    opcode: str
    operands: tuple[str, ...]

    @property
    def name(self) -> str:
        """The opcode without its modifiers."""
        return self.opcode.split(".", 1)[0]

    @property
    def modifiers(self) -> list[str]:
        """What follows the name, dot by dot."""
        return self.opcode.split(".")[1:]


@dataclass
class Function:
    """An `.entry` or a `.func`: a label is the index of the instruction that follows it."""

    name: str
    is_entry: bool
    params: list[Variable]
    results: list[Variable] = field(default_factory=list)
    limits: dict[str, tuple[int, ...]] = field(default_factory=dict)
    registers: dict[str, str] = field(default_factory=dict)
    variables: list[Variable] = field(default_factory=list)
    instructions: list[Instruction] = field(default_factory=list)
    labels: dict[str, int] = field(default_factory=dict)
    tables: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class Module:
    """All functions and module-wide variables of a text."""

    functions: dict[str, Function] = field(default_factory=dict)
    variables: list[Variable] = field(default_factory=list)


_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.S)
# Directives that end with their line, not with a semicolon.
_LINES = re.compile(r"(?m)^\s*\.(?:version|target|address_size|file|loc)\b[^\n]*$")
_LABEL = re.compile(r"\s*([$\w%]+)\s*:(?!:)")
_INSTRUCTION = re.compile(r"(?:@(!?)\s*([$\w%]+)\s+)?([a-z][\w.:]*)\s*(.*)", re.S)
_FUNCTION = re.compile(r"\.(entry|func)\s*(?:\((.*?)\)\s*)?([$\w%]+)\s*(?:\((.*?)\))?(.*)", re.S)
_VARIABLE = re.compile(
    r"\.(?P<space>global|const|shared|local|param)\b(?P<mid>.*?)\.(?P<kind>[bsuf]\d+|pred)\s+(?P<ptr>.*?)"
    r"(?P<name>[$\w%]+)\s*(?P<array>\[\s*\d*\s*\])?\s*(?:=\s*(?P<init>.*))?$",
    re.S,
)
_OPENING, _CLOSING = "([{", ")]}"


def split(text: str) -> list[str]:
    """Split at the commas outside all brackets."""
    parts, depth, start = [], 0, 0
    for i, character in enumerate(text):
        depth += (character in _OPENING) - (character in _CLOSING)
        if character == "," and depth == 0:
            parts.append(text[start:i].strip())
            start = i + 1
    last = text[start:].strip()
    return [*parts, last] if last else parts


def closing(text: str, start: int) -> int:
    """Return the index of the brace that closes the one at `start`."""
    depth = 0
    for i in range(start, len(text)):
        depth += (text[i] == "{") - (text[i] == "}")
        if depth == 0:
            return i
    raise PTXError("a brace is never closed")


def variable(text: str) -> Variable:
    """Read the declaration of one variable, without its semicolon."""
    found = _VARIABLE.search(text)
    if found is None or found["kind"] not in DTYPES:
        raise PTXError(f"cannot read the declaration {text!r}")
    align = re.search(r"\.align\s+(\d+)", found["mid"])
    array, init = found["array"], found["init"]
    size = DTYPES[found["kind"]].itemsize
    count = 1 if array is None else int(array.strip("[] \t\n") or 0) or None
    values = tuple(split(init.strip().strip("{}"))) if init else ()
    if count is None and values:
        count = len(values)
    return Variable(found["space"], found["name"], found["kind"], count, int(align[1]) if align else size, values)


def _statements(body: str):
    """Yield labels (with their colon) and statements (without semicolon); braces around statements only nest."""
    at = 0
    while True:
        while at < len(body) and (body[at].isspace() or body[at] in "{};"):
            at += 1
        if at == len(body):
            return
        label = _LABEL.match(body, at)
        if label:
            yield label[1] + ":"
            at = label.end()
            continue
        end = body.find(";", at)
        if end < 0:
            raise PTXError(f"no semicolon after {body[at:].strip()!r}")
        yield body[at:end].strip()
        at = end + 1


def instruction(statement: str) -> Instruction:
    """Read one instruction, without its semicolon."""
    found = _INSTRUCTION.fullmatch(statement)
    if found is None:
        raise PTXError(f"cannot read {statement!r}")
    text = re.sub(r"\s+", " ", statement) + ";"
    return Instruction(text, found[2], found[1] == "!", found[3], tuple(split(found[4])))


def _registers(statement: str):
    kind, names = re.fullmatch(r"\.reg\s+\.(\w+)\s+(.*)", statement, re.S).groups()
    for name in split(names):
        many = re.fullmatch(r"([$\w%]+)<(\d+)>", name)
        yield from ((f"{many[1]}{i}", kind) for i in range(int(many[2]))) if many else ((name, kind),)


def _fill(function: Function, body: str) -> None:
    label = None
    for statement in _statements(body):
        if statement.endswith(":"):
            label = statement[:-1]
            if label in function.labels:
                raise PTXError(f"label {label} twice")
            function.labels[label] = len(function.instructions)
        elif statement.startswith(".reg"):
            for name, kind in _registers(statement):
                if function.registers.setdefault(name, kind) != kind:
                    raise PTXError(f"register {name} has two types")
        elif statement.startswith(".branchtargets"):
            function.tables[label] = split(statement.removeprefix(".branchtargets"))
        elif statement.startswith(".pragma"):
            continue
        elif statement.startswith("."):
            function.variables.append(variable(statement))
        else:
            function.instructions.append(instruction(statement))


def _function(head: str, body: str) -> Function:
    kind, results, name, params, limits = _FUNCTION.search(head).groups()
    # A list of results stands before the name of a .func only.
    function = Function(name, kind == "entry", *([variable(v) for v in split(t or "")] for t in (params, results)))
    for limit, numbers in re.findall(r"\.(maxntid|reqntid)\s+([\d\s,]+)", limits):
        function.limits[limit] = tuple(int(n) for n in numbers.split(","))
    _fill(function, body)
    return function


def parse(text: str) -> Module:
    """Read a whole PTX text."""
    text = _LINES.sub("", _COMMENT.sub("", text.replace("\0", "")))
    module, at = Module(), 0
    while found := re.compile(r"[;{]").search(text, at):
        head = text[at : found.start()].strip()
        if found[0] == "{" and "=" not in head:
            end = closing(text, found.start())
            if re.search(r"\.(entry|func)\b", head):
                function = _function(head, text[found.end() : end])
                module.functions[function.name] = function
        else:
            end = text.find(";", found.start())
            statement = text[at:end].strip()
            if not re.search(r"\.(func|entry|section|alias|pragma)\b", statement) and statement:
                module.variables.append(variable(statement))
        at = end + 1
    return module
