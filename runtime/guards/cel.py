"""Says in Python what the rules of contracts say in CEL, as far as that is plainly the same.

`this` becomes the variable given. What is not known here is no error: it raises Unsure, and the
rule is left to protovalidate.
"""

import re
from collections.abc import Callable
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

TOKEN = re.compile(
    r"""\s*(?:
      (?P<function>has|size|double)\(this(?P<argument>(?:\.\w+)+)\)
    | this(?P<searched>(?:\.\w+)*)\.(?P<test>matches|contains)\('(?P<text>[^'\\]*)'\)
    | this(?P<path>(?:\.\w+)+)
    | (?P<constant>\d+\.\d+|\d+|'[^'\\]*')
    | (?P<word>&&|\|\||==|!=|<=|>=|<|>|\(|\)|\[|\]|,|!|in\b)
    )""",
    re.VERBOSE,
)
WORDS = {"&&": "and", "||": "or", "!": "not"}
COMPARISONS = {"==", "!=", "<=", ">=", "<", ">", "in"}
PLAIN = re.compile(r"(?:[\w ,:/@<>=_.*+?|(){}^-]|\[\^?[\w ,:/@.*+_-]+\])*")


class Unsure(Exception):
    """A rule that is not known here."""


def searching(pattern: str) -> Callable[[str], Any]:
    """Return what searches a text for an RE2 pattern that means the same to Python."""
    body = pattern.removesuffix("$")
    if not PLAIN.fullmatch(body) or "(?" in body:
        raise Unsure(pattern)
    # To RE2 the end of the text is behind its last newline, to Python `$` is before it as well.
    end = r"\Z" if body is not pattern else ""
    return re.compile(body + end, re.ASCII).search


def in_python(
    expression: str, this: str, of_type: Descriptor | None, name: Callable[[object], str]
) -> str:
    """Return a Python expression; `name` gives a name to an object that it needs."""
    tokens = _tokens(expression)
    _check_order(tokens, expression)
    parts = [
        WORDS.get(token["word"], token["word"]) or _operand(token, this, of_type, name)
        for token in tokens
    ]
    return f"({' '.join(parts)})"


def _tokens(expression: str) -> list[re.Match[str]]:
    tokens, begin, text = [], 0, expression.rstrip()
    while begin < len(text):
        token = TOKEN.match(text, begin)
        if token is None:
            raise Unsure(expression)
        tokens.append(token)
        begin = token.end()
    return tokens


def _check_order(tokens: list[re.Match[str]], expression: str) -> None:
    """Raise Unsure where the two languages would group otherwise, or Python would chain."""
    words = [token["word"] for token in tokens]
    compared = [0]  # How often since the last logical word, by depth.
    for at, word in enumerate(words):
        if word in ("(", "["):
            compared.append(0)
        elif word in (")", "]"):
            compared.pop()
        elif word in ("&&", "||"):
            compared[-1] = 0
        elif word in COMPARISONS:
            compared[-1] += 1
        end = _after_operand(words, at + 1) if word == "!" else len(words)
        if compared[-1] > 1 or words[end : end + 1] not in ([], ["&&"], ["||"], [")"]):
            raise Unsure(expression)


def _after_operand(words: list[str | None], at: int) -> int:
    """Return where the operand that begins at `at` has ended."""
    depth = 0
    for here in range(at, len(words)):
        depth += (words[here] == "(") - (words[here] == ")")
        if not depth:
            return here + 1
    return len(words)


def _operand(
    token: re.Match[str], this: str, of_type: Descriptor | None, name: Callable[[object], str]
) -> str:
    if (constant := token["constant"]) is not None:
        return constant
    if (test := token["test"]) is not None:
        _field(of_type, token["searched"], token.string)
        searched = this + token["searched"]
        if test == "contains":
            return f"({token['text']!r} in {searched})"
        return f"({name(searching(token['text']))}({searched}) is not None)"
    path = token["path"] or token["argument"]
    field = _field(of_type, path, token.string)
    assert field is not None, "a path has a field at least"
    if token["function"] != "has":
        python = {"size": "len", "double": "float", None: ""}[token["function"]]
        return f"{python}({this}{path})" if python else f"{this}{path}"
    if not field.has_presence:
        raise Unsure(token.string)
    above, _, last = path.rpartition(".")
    return f"{this}{above}.HasField({last!r})"


def _field(of_type: Descriptor | None, path: str, expression: str) -> FieldDescriptor | None:
    """Return the field at a path within `this`; None when that is no message."""
    field: FieldDescriptor | None = None
    for step in path.split(".")[1:]:
        if of_type is None or step not in of_type.fields_by_name or not step.isidentifier():
            raise Unsure(expression)
        field = of_type.fields_by_name[step]
        of_type = None if field.is_repeated else field.message_type
    return field
