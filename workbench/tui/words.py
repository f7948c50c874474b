"""What is typed after a colon, taken apart: words as a shell has them, each with its place; options, arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from workbench.core.config import nearest


class Token(Struct, frozen=True):
    """One word: its text without quotes, and where in the line it begins."""

    text: str
    start: int
    quoted: bool = False
    """It begins with a quote, so it is no option."""


class Refused(Exception):
    """A line that cannot be done: why, and where in it; `unfinished` where more typing can mend it.

    `closing` is the quote that lacks at its end.
    """

    def __init__(self, message: str, position: int = 0, *, unfinished: bool = False, closing: str = "") -> None:
        super().__init__(message)
        self.closing = closing
        self.message = message
        self.position = position
        self.unfinished = unfinished


class Option(Struct, frozen=True):
    """An option of a command: `--where EXPR`, or a flag without a value."""

    name: str
    value: str = ""
    """What its value is called; empty for a flag."""
    help: str = ""
    choices: tuple[str, ...] = ()
    kind: str = ""
    """What completes its value: `run`, `metric`, `sort`, `where` …"""


class Word(Struct, frozen=True):
    """A command that can be typed, with what may follow it."""

    name: str
    summary: str
    arguments: str = ""
    """As a usage line has them: `[RUN] NAME`."""
    options: tuple[Option, ...] = ()
    kind: str = ""
    """What completes its arguments."""
    outside: bool = False
    """It is run as a process of its own, as in a shell."""
    root: str = ""
    """How it takes the project's folder: `argument`, `option`, or not at all."""

    @property
    def usage(self) -> str:
        """Name, arguments and options on one line."""
        options = [f"[{each.name}{' ' + each.value if each.value else ''}]" for each in self.options]
        return " ".join(filter(None, (self.name, self.arguments, *options)))


class Call(Struct, frozen=True):
    """A command with what was given to it."""

    word: Word
    arguments: Sequence[Token] = ()
    options: Mapping[str, Token] = field(default_factory=dict)
    """By name; a flag's token is the flag itself."""
    tokens: Sequence[Token] = ()
    """Everything behind the command's name, in order."""
    end: int = 0
    """Length of the line: where something that lacks would stand."""
    raw: str = ""
    """What stands behind the command's name, as it was typed."""

    def text(self, option: str, default: str = "") -> str:
        """The value of an option, or what holds without it."""
        token = self.options.get(option)
        return default if token is None else token.text

    def at(self, option: str) -> int:
        """Where an option's value stands."""
        token = self.options.get(option)
        return self.end if token is None else token.start

    @property
    def rest(self) -> str:
        """The arguments as one text."""
        return " ".join(token.text for token in self.arguments)


def split(line: str) -> tuple[list[Token], str]:
    """Words of a line as a shell has them, and the quote that is still open at its end, or nothing."""
    tokens: list[Token] = []
    text, start, quote, quoted, at = "", -1, "", False, 0
    while at < len(line):
        char = line[at]
        if quote:
            if char == quote:
                quote = ""
            elif char == "\\" and quote == '"' and line[at + 1 : at + 2] in ('"', "\\"):
                at += 1
                text += line[at]
            else:
                text += char
        elif char in "'\"":
            start, quote, quoted = (at if start < 0 else start), char, quoted or start < 0
        elif char == "\\" and at + 1 < len(line):
            start, at = (at if start < 0 else start), at + 1
            text += line[at]
        elif char.isspace():
            if start >= 0:
                tokens.append(Token(text, start, quoted))
            text, start, quoted = "", -1, False
        else:
            start, text = (at if start < 0 else start), text + char
        at += 1
    if start >= 0:
        tokens.append(Token(text, start, quoted))
    return tokens, quote


def find_word(tokens: Sequence[Token], known: Mapping[str, Word]) -> tuple[Word, int]:
    """The command that a line begins with, and how many tokens name it: `export points` is two.

    Raises:
        Refused: there is none of that name; the nearest is told.
    """
    for count in (2, 1):
        name = " ".join(token.text for token in tokens[:count])
        if len(tokens) >= count and name in known:
            return known[name], count
    typed = tokens[0].text
    longer = sorted({name.split()[0] for name in known if name.startswith(typed)})
    inner = [name for name in known if name.startswith(f"{typed} ")]
    if inner:
        names = " or ".join(name.split()[1] for name in sorted(inner))
        given = tokens[1].text if len(tokens) > 1 else ""
        hopeful = any(name.startswith(f"{typed} {given}") for name in inner)
        at = tokens[1].start if given else tokens[0].start + len(typed)
        raise Refused(f"{typed} what? {names}", at, unfinished=hopeful)
    if longer and len(tokens) == 1:
        raise Refused(f"which one? {', '.join(longer[:8])}", tokens[0].start, unfinished=True)
    raise Refused(f"no command {typed!r}{nearest(typed, known)}", tokens[0].start)


def parse(line: str, known: Mapping[str, Word]) -> Call:
    """A line as a command with its options and arguments.

    Raises:
        Refused: an unknown command or option, a value that lacks, or quotes that are open.
    """
    tokens, open_quote = split(line)
    if not tokens:
        raise Refused("a command, such as: runs --where 'lr>1e-3'", 0, unfinished=True)
    word, used = find_word(tokens, known)
    if word.kind == "where" and not word.options:
        return Call(word, tokens[used:], tokens=tokens[used:], end=len(line), raw=raw_rest(line, tokens[used:]))
    if open_quote:
        raise Refused("the quotes are still open", tokens[-1].start, unfinished=True, closing=open_quote)
    rest = tokens[used:]
    by_name = {option.name: option for option in word.options}
    options: dict[str, Token] = {}
    arguments: list[Token] = []
    waiting = iter(rest)
    for token in waiting:
        if token.quoted or not token.text.startswith("--") or token.text == "--":
            arguments.append(token)
            continue
        name, equals, value = token.text.partition("=")
        option = _option(name, by_name, token, last=token is rest[-1], line=line)
        if not option.value:
            options[name] = token
        elif equals:
            options[name] = Token(value, token.start + len(name) + 1)
        else:
            options[name] = _value(option, next(waiting, None), len(line))
        _check_choice(option, options[name])
    return Call(word, arguments, options, rest, len(line), raw_rest(line, rest))


def raw_rest(line: str, tokens: Sequence[Token]) -> str:
    """The line from the first of these tokens on."""
    return line[tokens[0].start :] if tokens else ""


def _option(name: str, known: Mapping[str, Option], token: Token, *, last: bool, line: str) -> Option:
    found = known.get(name)
    if found is None:
        being_typed = last and not line[-1:].isspace()
        hopeful = being_typed and any(each.startswith(name) for each in known)
        said = f"no option {name!r}{nearest(name, known)}" if known else f"it takes no option {name!r}"
        raise Refused(said, token.start, unfinished=hopeful)
    return found


def _value(option: Option, token: Token | None, end: int) -> Token:
    if token is None:
        raise Refused(f"{option.name} wants {option.value}", end, unfinished=True)
    return token


def _check_choice(option: Option, token: Token) -> None:
    if option.choices and option.value and token.text not in option.choices:
        hopeful = any(choice.startswith(token.text) for choice in option.choices)
        words = f"{option.name}: no {token.text!r}{nearest(token.text, option.choices)}"
        raise Refused(words, token.start, unfinished=hopeful)
