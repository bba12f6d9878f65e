"""NeMo's *_embeddings.pkl: a pickled dict of numpy arrays, read as data.

A pickle is a program, and to load one is to run it. Nothing is run here: `pickletools` lists what it
says, the few instructions by which Python writes a dict of arrays are followed on plain values, and a
name is compared and never looked up. Whatever else a pickle may ask for is refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fairaudit.embeddings.checks import Found, single, stack
from fairaudit.exceptions import LogError

#: What is pushed as it is written: texts, bytes and whole numbers.
PUSHED = {
    *("SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"),
    *("SHORT_BINBYTES", "BINBYTES", "BINBYTES8", "BYTEARRAY8"),
    *("BININT", "BININT1", "BININT2", "LONG1"),
}
MARK = object()
CONSTANTS = {"MARK": MARK, "NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
IGNORED = {"PROTO", "FRAME", "STOP"}
#: How numpy 1 and 2 call what makes an array, and what else an array is made of.
NAMES = {
    "numpy.core.multiarray._reconstruct": "reconstruct",
    "numpy._core.multiarray._reconstruct": "reconstruct",
    "numpy.core.numeric._frombuffer": "from buffer",
    "numpy._core.numeric._frombuffer": "from buffer",
    "numpy.ndarray": "array",
    "numpy.dtype": "dtype",
    "_codecs.encode": "encode",
}
#: Plain numbers: nothing that holds objects, fields or texts.
KINDS = {"f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"}


class Name(NamedTuple):
    """One of the values of `NAMES`, where a pickle would have the thing of that name."""

    text: str


class Kind:
    """The type of an array, whose byte order comes later."""

    def __init__(self, code: str) -> None:
        self.code, self.order = code, "<"


class Array:
    """An array, whose numbers come later."""

    def __init__(self, vector: NDArray[Any] | None = None) -> None:
        self.vector = vector


class Pairs(list[tuple[str, NDArray[Any]]]):
    """A dict of arrays, in which an id may be there twice."""


def read_nemo(path: Path) -> Found:
    """Read a pickled dict of id to array, without running it.

    Parameters
    ----------
    path : Path
        Written by Python's protocols 2 to 5 and by numpy 1 or 2.

    Raises
    ------
    LogError
        Names the byte of the first instruction that makes anything but a dict of arrays of numbers.
    """
    # It runs nothing: it lists.
    from pickletools import genops

    content = path.read_bytes()
    machine = Machine(len(content))
    byte = 0
    try:
        for opcode, argument, position in genops(content):
            byte = position or 0
            machine.follow(opcode.name, argument)
        if byte + 1 != len(content):
            raise ValueError("something follows the end of the pickle")
        pairs = machine.result()
    except (ValueError, IndexError, KeyError) as error:
        why = str(error) if isinstance(error, ValueError) else "the pickle is damaged"
        raise LogError(
            f"cannot read embeddings: {why}",
            where=f"{path.name}, byte {byte}",
            allowed="a pickled dict of id to numpy array of numbers, (d,) or (1, d); it is never executed",
            fix="write it again with pickle.dump({id: numpy.asarray(vector), ...}, file), or as .npz",
        ) from None
    ids = [name for name, _ in pairs]
    vectors = stack(ids, [vector for _, vector in pairs], path.name)
    return Found(ids, vectors, lambda position: f"entry {position + 1}")


class Machine:
    """Follow the instructions of a pickle on plain values.

    Parameters
    ----------
    size : int
        Bytes of the pickle. Its arrays may hold no more than an honest pickle of this size.
    """

    def __init__(self, size: int) -> None:
        # An honest one holds each byte once as an array, and in protocol 2 once more as the text of one.
        self.left = 2 * size
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def follow(self, opcode: str, argument: Any) -> None:
        """Follow one instruction; ValueError, IndexError or KeyError where that is not possible."""
        if opcode in PUSHED:
            self.stack.append(argument)
        elif opcode in CONSTANTS:
            self.stack.append(CONSTANTS[opcode])
        elif opcode in ACTS:
            ACTS[opcode](self, argument)
        elif opcode not in IGNORED:
            raise ValueError(f"it is no dict of arrays: the instruction {opcode} is refused")

    def result(self) -> Pairs:
        """Return the one value that is left, which is the dict."""
        if len(self.stack) != 1 or not isinstance(self.stack[0], Pairs):
            raise ValueError("it is no dict of arrays")
        return self.stack[0]

    def pop(self, count: int) -> list[Any]:
        """Take values from the top, the lowest first."""
        return [self.stack.pop() for _ in range(count)][::-1]

    def since_mark(self) -> list[Any]:
        """Take the values above the last mark, and the mark."""
        values = []
        while (value := self.stack.pop()) is not MARK:
            values.append(value)
        return values[::-1]

    def put(self, argument: int | None) -> None:
        """Remember the top under a number, or under the next one."""
        self.memo[len(self.memo) if argument is None else argument] = self.stack[-1]

    def name(self, module: Any, name: Any) -> None:
        """Push what stands for a global; nothing is imported."""
        text = f"{module}.{name}" if isinstance(module, str) and isinstance(name, str) else ""
        if text not in NAMES:
            raise ValueError(f"it is no dict of arrays: {text[:80]} is refused")
        self.stack.append(Name(NAMES[text]))

    def set_items(self, items: list[Any]) -> None:
        """Add ids and their arrays to the dict on top."""
        pairs = self.stack[-1]
        if not isinstance(pairs, Pairs):
            raise ValueError("it is no dict of arrays")
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(key, str):
                raise ValueError(f"entry {len(pairs) + 1}: the id is no text")
            if not isinstance(value, Array) or value.vector is None:
                raise ValueError(f"the value of '{key}' is no array of numbers")
            # Each time anew: an array that is named often is stored once.
            self._spend(value.vector.nbytes)
            pairs.append((key, value.vector))

    def reduce(self) -> None:
        """Make a type, an array or bytes of what would be the call of a function."""
        name, arguments = self.pop(2)
        match name, arguments:
            case Name("encode"), (str(text), "latin1"):
                self._spend(len(text))
                self.stack.append(text.encode("latin1"))
            case Name("dtype"), (str(code), _, _):
                if code not in KINDS:
                    what = "Python objects" if code.startswith("O") else f"the type {code[:20]}"
                    raise ValueError(f"an array holds {what}")
                self.stack.append(Kind(code))
            case Name("reconstruct"), (Name("array"), (0,), b"b"):
                self.stack.append(Array())
            case Name("from buffer"), (
                bytes() | bytearray() as data,
                Kind() as kind,
                tuple(shape),
                "C" | "F",
            ):
                self.stack.append(Array(self._vector(data, kind, shape)))
            case _:
                raise ValueError("it is no dict of arrays: a call is refused")

    def build(self) -> None:
        """Complete the type or the array on top."""
        (state,) = self.pop(1)
        match self.stack[-1], state:
            case Kind() as kind, (3, "<" | ">" | "|" as order, None, None, None, -1, -1, 0):
                kind.order = order
            case Array(vector=None) as array, (1, tuple(shape), Kind() as kind, _, bytes(data)):
                array.vector = self._vector(data, kind, shape)
            case _:
                raise ValueError("it is no dict of arrays: a state is refused")

    def _vector(self, data: bytes | bytearray, kind: Kind, shape: tuple[Any, ...]) -> NDArray[Any]:
        dtype = np.dtype(kind.order + kind.code)
        if not 1 <= len(shape) <= 3 or not all(type(n) is int and n >= 0 for n in shape):
            raise ValueError("an array is not one vector")
        if math.prod(shape) * dtype.itemsize != len(data):
            raise ValueError(f"an array of shape {shape} has {len(data):,} bytes of {dtype}")
        # The order of a matrix does not matter where it has one row.
        return single(np.frombuffer(data, dtype=dtype).reshape(shape))

    def _spend(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise ValueError("its arrays are larger than the file")


ACTS: dict[str, Callable[[Machine, Any], None]] = {
    "EMPTY_DICT": lambda m, _: m.stack.append(Pairs()),
    "SETITEM": lambda m, _: m.set_items(m.pop(2)),
    "SETITEMS": lambda m, _: m.set_items(m.since_mark()),
    "TUPLE": lambda m, _: m.stack.append(tuple(m.since_mark())),
    "TUPLE1": lambda m, _: m.stack.append(tuple(m.pop(1))),
    "TUPLE2": lambda m, _: m.stack.append(tuple(m.pop(2))),
    "TUPLE3": lambda m, _: m.stack.append(tuple(m.pop(3))),
    **dict.fromkeys(("BINGET", "LONG_BINGET"), lambda m, number: m.stack.append(m.memo[number])),
    **dict.fromkeys(("BINPUT", "LONG_BINPUT", "MEMOIZE"), lambda m, number: m.put(number)),
    "GLOBAL": lambda m, text: m.name(*text.split(" ", 1)),
    "STACK_GLOBAL": lambda m, _: m.name(*m.pop(2)),
    "REDUCE": lambda m, _: m.reduce(),
    "BUILD": lambda m, _: m.build(),
}
