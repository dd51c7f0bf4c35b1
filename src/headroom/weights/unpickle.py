"""Read a pickle as data. A pickle is a program; here it is never run.

Loading one imports modules and calls what it finds there. This reader follows the same instructions, but where the
program names a function or a class it puts down that name, and where it calls one it puts down the call. So no pickle,
whatever it says, makes anything but containers, numbers and strings. Instructions: `pickletools`, standard library.

A checkpoint may name many classes, such as those of the trainer that wrote it, and they are passed over. A pickle that
names a way to run programs is refused all the same, so that its owner learns what it is.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any


@dataclass(frozen=True, slots=True)
class Name:
    """A function or a class that the program names, by its full path."""

    path: str


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """A call that the program would make; in honest files `function` is a `Name` and `arguments` a tuple."""

    function: Any
    arguments: Any


@dataclass(slots=True)
class _Machine:
    """The program's state: what it has put down since the last mark, before each mark, and what it remembers."""

    outside: Callable[[Any], object]
    stack: list[Any] = field(default_factory=list)
    marked: list[list[Any]] = field(default_factory=list)
    memory: dict[int, Any] = field(default_factory=dict)

    def take(self, count: int) -> list[Any]:
        """Take the last things off the stack, in the order in which they were put down."""
        return [self.stack.pop() for _ in range(count)][::-1]

    def since_mark(self) -> list[Any]:
        """Take all that was put down since the last mark."""
        items, self.stack = self.stack, self.marked.pop()
        return items


def read_pickle(stream: IO[bytes], outside: Callable[[Any], object]) -> Any:  # noqa: ANN401 - it may hold anything
    """Return what the pickle at the stream's position describes, and leave the stream at its end.

    Args:
        stream: The pickle, and anything after it.
        outside: Gives what stands for a thing kept outside the pickle, by the identity that it has there.

    Raises:
        ValueError: It is cut off, damaged, or no pickle.
    """
    machine = _Machine(outside)
    try:
        for instruction, argument in _instructions(stream):
            _step(machine, instruction, argument)
        return machine.stack.pop()
    except (IndexError, KeyError, TypeError) as error:
        raise ValueError("its pickle is damaged") from error


def _instructions(stream: IO[bytes]) -> Iterator[tuple[str, Any]]:
    try:
        for opcode, argument, _ in pickletools.genops(stream):
            yield opcode.name, argument
    except ValueError as error:
        raise ValueError(f"its pickle is damaged ({error})") from error


def _step(machine: _Machine, instruction: str, argument: Any) -> None:  # noqa: ANN401
    if instruction in _VALUES:
        machine.stack.append(argument)
    elif instruction in _MAKERS:
        made = _MAKERS[instruction](machine, argument)  # first, since it may go back to the stack before a mark
        machine.stack.append(made)
    elif instruction in _CHANGERS:
        _CHANGERS[instruction](machine, argument)
    elif instruction not in _IDLE:
        raise ValueError(f"its pickle has the instruction {instruction}, which no checkpoint needs")


def _name(path: str) -> Name:
    if path.partition(".")[0] in _ATTACKING_MODULES or path in _ATTACKING_BUILTINS:
        raise ValueError(f"its pickle names {path[:100]}, which only an attack needs; nothing of it was run")
    return Name(path)


def _call(function: object, arguments: Any) -> object:  # noqa: ANN401
    """Return a call as a record; that of an ordered table, as the table."""
    return dict(*arguments) if function == Name("collections.OrderedDict") else Call(function, arguments)


def _object(kind: object, *arguments: object) -> Call:
    return Call(kind, arguments)


def _add(target: object, items: list[Any]) -> None:
    """Put items into a list or a set, keys and values into a table; objects of other classes stay as they are."""
    if isinstance(target, list):
        target.extend(items)
    elif isinstance(target, set):
        target.update(items)
    elif isinstance(target, dict):
        target.update(zip(items[::2], items[1::2], strict=True))


def _table(items: list[Any]) -> dict[Any, Any]:
    table: dict[Any, Any] = {}
    _add(table, items)
    return table


def _remember(machine: _Machine, place: int) -> None:
    machine.memory[place] = machine.stack[-1]


def _mark(machine: _Machine, _: object) -> None:
    machine.marked.append(machine.stack)
    machine.stack = []


def _add_since_mark(machine: _Machine, _: object) -> None:
    items = machine.since_mark()
    _add(machine.stack[-1], items)


def _add_last(count: int) -> _Do:
    def do(machine: _Machine, _: object) -> None:
        items = machine.take(count)
        _add(machine.stack[-1], items)

    return do


_Do = Callable[[_Machine, Any], Any]

_ATTACKING_MODULES = {
    "os", "posix", "nt", "sys", "subprocess", "pty", "shutil", "socket", "ctypes", "importlib", "runpy", "webbrowser",
    "commands", "popen2", "code", "pdb", "timeit", "multiprocessing", "asyncio", "pip", "pickle", "marshal",
}  # fmt: skip
_ATTACKING_BUILTINS = {
    f"{module}.{function}"
    for module in ("builtins", "__builtin__")
    for function in ("eval", "exec", "execfile", "compile", "open", "__import__", "breakpoint", "input")
}

_IDLE = {"PROTO", "FRAME", "STOP"}
_VALUES = {
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT",
    "STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8",
    "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8",
}  # fmt: skip
"""Instructions that put down their own argument."""

_MAKERS: dict[str, _Do] = {
    "NONE": lambda _m, _: None,
    "NEWTRUE": lambda _m, _: True,
    "NEWFALSE": lambda _m, _: False,
    "EMPTY_LIST": lambda _m, _: [],
    "EMPTY_TUPLE": lambda _m, _: (),
    "EMPTY_DICT": lambda _m, _: {},
    "EMPTY_SET": lambda _m, _: set(),
    "LIST": lambda m, _: m.since_mark(),
    "TUPLE": lambda m, _: tuple(m.since_mark()),
    "TUPLE1": lambda m, _: tuple(m.take(1)),
    "TUPLE2": lambda m, _: tuple(m.take(2)),
    "TUPLE3": lambda m, _: tuple(m.take(3)),
    "DICT": lambda m, _: _table(m.since_mark()),
    "FROZENSET": lambda m, _: frozenset(m.since_mark()),
    "DUP": lambda m, _: m.stack[-1],
    "GET": lambda m, place: m.memory[place],
    "BINGET": lambda m, place: m.memory[place],
    "LONG_BINGET": lambda m, place: m.memory[place],
    "PERSID": lambda m, identity: m.outside(identity),
    "BINPERSID": lambda m, _: m.outside(m.stack.pop()),
    "GLOBAL": lambda _m, path: _name(path.replace(" ", ".")),
    "STACK_GLOBAL": lambda m, _: _name(".".join(m.take(2))),
    "EXT1": lambda _m, code: Name(f"extension.{code}"),
    "EXT2": lambda _m, code: Name(f"extension.{code}"),
    "EXT4": lambda _m, code: Name(f"extension.{code}"),
    "REDUCE": lambda m, _: _call(*m.take(2)),
    "NEWOBJ": lambda m, _: _call(*m.take(2)),
    "NEWOBJ_EX": lambda m, _: Call(*m.take(3)[:2]),
    "OBJ": lambda m, _: _object(*m.since_mark()),
    "INST": lambda m, path: Call(_name(path.replace(" ", ".")), tuple(m.since_mark())),
}
"""Instructions that put down something made of their argument or of what they take."""

_CHANGERS: dict[str, _Do] = {
    "MARK": _mark,
    "POP": lambda m, _: m.stack.pop(),
    "POP_MARK": lambda m, _: m.since_mark(),
    "BUILD": lambda m, _: m.stack.pop(),  # an object's attributes
    "APPEND": _add_last(1),
    "SETITEM": _add_last(2),
    "APPENDS": _add_since_mark,
    "SETITEMS": _add_since_mark,
    "ADDITEMS": _add_since_mark,
    "PUT": _remember,
    "BINPUT": _remember,
    "LONG_BINPUT": _remember,
    "MEMOIZE": lambda m, _: _remember(m, len(m.memory)),
}
"""Instructions that change what is there."""
