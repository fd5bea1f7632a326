"""HyperLogLog commands: counting different elements in 12 KB at most. A HyperLogLog is a string."""

from __future__ import annotations

from redtool import errors
from redtool.commands.table import group
from redtool.engine import hll
from redtool.numeric import INT64_MAX
from redtool.resp import OK, Status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from redtool.resp import Reply
    from redtool.session import Session

command = group("hyperloglog")


def checked(value: bytes | bytearray | None) -> bytes | bytearray | None:
    """Refuse a string that is no HyperLogLog."""
    if value is not None and not hll.is_hll(value):
        raise errors.NotHll
    return value


def altered(c: Session, key: bytes, value: bytes | bytearray | None) -> bytearray:
    """The value under a key as one to be altered in place; an empty one where there is none."""
    if type(value) is bytearray:
        return value
    made = bytearray(hll.EMPTY if value is None else value)
    c.put(key, made, keep_ttl=True)
    return made


def limit(c: Session) -> int:
    """How long a sparse value may be."""
    most: int = c.config.get("hll-sparse-max-bytes", 3000)
    return most


@command("PFADD key [element [element ...]]", "write denyoom fast", since="2.8.9", complexity="O(1) an element")
def pfadd(c: Session, key: bytes, *elements: bytes) -> Reply:
    """Add elements to a HyperLogLog; tells whether its estimate may have changed.

    > PFADD visitors:mon ada grace
    (integer) 1
    > PFADD visitors:mon ada
    (integer) 0
    """
    old = checked(c.writable(key, bytes))
    value, most = altered(c, key, old), limit(c)
    news = int(old is None)
    try:
        for element in elements:
            news += hll.add(value, element, most)
    except hll.Corrupt:
        raise errors.CorruptHll from None
    if news:
        hll.invalidate(value)
    c.changed(key, b"pfadd", news)
    return 1 if news else 0


@command("PFCOUNT key [key ...]", "readonly", since="2.8.9", complexity="O(N) keys, with a cached count for one")
def pfcount(c: Session, *keys: bytes) -> Reply:
    """Estimate how many different elements were added to any of the keys.

    > PFADD visitors:mon ada grace
    (integer) 1
    > PFADD visitors:tue grace alan
    (integer) 1
    > PFCOUNT visitors:mon
    (integer) 2
    > PFCOUNT visitors:mon visitors:tue
    (integer) 3
    """
    try:
        if len(keys) > 1:
            return signed(hll.estimate(hll.merged(each(c, keys, []))))
        return counted(c, keys[0])
    except hll.Corrupt:
        raise errors.CorruptHll from None


def each(c: Session, keys: Sequence[bytes], seen: list[bytes | bytearray]) -> Iterator[bytes | bytearray]:
    """The values of keys, each looked at when the one before it has been dealt with; ``seen`` gets them too."""
    for key in keys:
        value = checked(c.readable(key, bytes))
        if value is not None:
            seen.append(value)
            yield value


def counted(c: Session, key: bytes) -> int:
    """The estimate of one key, kept in the value for the next time."""
    value = checked(c.readable(key, bytes))
    if value is None:
        return 0
    found = hll.cached(value)
    if found is None:
        found = hll.cardinality(value)
        hll.keep(altered(c, key, value), found)
        c.changed(key, b"")  # a change of the string, that no event tells of
    return signed(found)


def signed(number: int) -> int:
    """A cardinality as the signed number that a reply holds."""
    return number if number <= INT64_MAX else number - 2**64


@command("PFMERGE destkey [sourcekey [sourcekey ...]]", "write denyoom", since="2.8.9", complexity="O(N) keys")
def pfmerge(c: Session, destkey: bytes, *sources: bytes) -> Reply:
    """Merge HyperLogLogs into the first one.

    > PFADD visitors:mon ada grace
    (integer) 1
    > PFADD visitors:tue grace alan
    (integer) 1
    > PFMERGE visitors:all visitors:mon visitors:tue
    OK
    > PFCOUNT visitors:all
    (integer) 3
    """
    values: list[bytes | bytearray] = []
    try:
        highest = hll.merged(each(c, (destkey, *sources), values))
        target = altered(c, destkey, c.writable(destkey, bytes))
        if any(value[4] == hll.DENSE for value in values):
            hll.densify(target)
        hll.fill(target, highest, limit(c))
    except hll.Corrupt:
        raise errors.CorruptHll from None
    hll.invalidate(target)
    c.changed(destkey, b"pfadd")
    return OK


@command("PFDEBUG subcommand key", "write denyoom admin", since="2.8.9", complexity="O(N) registers")
def pfdebug(c: Session, subcommand: bytes, key: bytes) -> Reply:
    """Show the inside of a HyperLogLog: GETREG, DECODE, ENCODING; TODENSE.

    > PFADD visitors:mon ada grace
    (integer) 1
    > PFDEBUG ENCODING visitors:mon
    sparse
    """
    value = checked(c.writable(key, bytes))
    if value is None:
        raise errors.NoSuchHll
    word = subcommand.upper()
    if word == b"ENCODING":
        return Status(b"sparse" if value[4] == hll.SPARSE else b"dense")
    if word == b"DECODE":
        if value[4] != hll.SPARSE:
            raise errors.HllNotSparse
        return hll.listing(value).encode()
    if word not in (b"GETREG", b"TODENSE"):
        raise errors.UnknownPfdebug(subcommand.partition(b"\0")[0].decode("utf-8", "surrogateescape"))
    try:
        dense = altered(c, key, value)
        turned = hll.densify(dense)
    except hll.Corrupt:
        raise errors.CorruptHll from None
    c.changed(key, b"", turned)
    return list(hll.registers(dense)) if word == b"GETREG" else int(turned)


@command("PFSELFTEST", "admin", since="2.8.9", complexity="O(N) registers")
def pfselftest(c: Session) -> Reply:
    """Check that registers hold their values and that estimates are near the truth.

    > PFSELFTEST
    OK
    """
    dense = bytearray(hll.EMPTY)
    hll.densify(dense)
    sparse, wanted = bytearray(hll.EMPTY), bytearray(hll.REGISTERS)
    for index in range(0, hll.REGISTERS, 13):
        wanted[index] = index % 32 + 1
        hll.put(dense, index, wanted[index], hll.DENSE_SIZE)
        hll.put(sparse, index, wanted[index], hll.DENSE_SIZE)
    for name, value in (("dense", dense), ("sparse", sparse)):
        if hll.registers(value) != wanted:
            raise errors.HllSelfTest(f"{name} registers do not hold what was put there")
    value, many = bytearray(hll.EMPTY), 20_000
    for number in range(many):
        hll.add(value, b"%d" % number, limit(c))
    if abs(hll.cardinality(value) - many) > many * 0.0081 * 4:
        raise errors.HllSelfTest(f"too big an error: {hll.cardinality(value)} for {many} elements")
    return OK
