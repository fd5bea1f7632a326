"""``redtool rdb info``: the facts of an RDB file and what it holds, counted."""

from __future__ import annotations

from typing import Any

from redtool import oneshot
from redtool.cli.census import Census
from redtool.cli.dump import Reading, of_type, short
from redtool.cli.output import Field, as_bytes, draw, encoded, line, size_text, write_text
from redtool.options import Options

COUNT = "number"
DATABASES = (Field("database"), Field("keys", COUNT), Field("expires", COUNT), Field("memory", COUNT, size_text))
FORMS = (Field("type"), Field("encoding"), Field("keys", COUNT), Field("elements", COUNT),
         Field("bytes", COUNT, size_text), Field("memory", COUNT, size_text))  # fmt: skip
TERMS = (Field("expiry"), Field("keys", COUNT))
LARGEST = (Field("memory", COUNT, size_text), Field("type"), Field("elements", COUNT), Field("database"),
           Field("key", "key", short))  # fmt: skip
Rows = list[tuple[object, ...]]


def run(reading: Reading, kind: str, top: int, options: Options) -> int:
    """Count and print; gives the exit code."""
    census = Census(top)
    for entry in of_type(iter(reading), kind):
        census.add(entry)
    if reading.walk is not None:
        facts, tables = _facts(reading, census), _tables(census)
        show = {"human": _human, "json": _json}.get(oneshot.format_of(options), _lines)
        show(reading, facts, tables, options)
    return reading.finish()


def _facts(reading: Reading, census: Census) -> dict[str, tuple[object, object]]:
    """Name -> (value, what a person reads)."""
    walk = reading.walk
    assert walk is not None
    aux = {name.decode("utf-8", "backslashreplace"): value for name, value in walk.found.facts.items()}
    facts: dict[str, tuple[object, object]] = {
        "file": (reading.path, reading.path),
        "format": (walk.format, walk.format),
        "size": (reading.size, size_text(reading.size)),
        "keys": (census.all.keys, f"{census.all.keys:,}"),
        "expires": (census.all.expires, f"{census.all.expires:,}"),
        "memory": (census.all.memory, f"about {size_text(census.all.memory)}"),
        "functions": (len(walk.found.functions), str(len(walk.found.functions))),
    }
    facts |= {name: (value, _aux(name, value)) for name, value in aux.items()}
    return facts


def _aux(name: str, value: bytes) -> object:
    """A fact that the file states, for a person."""
    if value.isdigit() and name == "ctime":
        from redtool.render.cells import date

        return date(int(value))
    return size_text(int(value)) if value.isdigit() and name == "used-mem" else value


def _tables(census: Census) -> list[tuple[str, tuple[Field, ...], Rows]]:
    """(name, columns, rows) of each table."""
    databases: Rows = [(db, each.keys, each.expires, each.memory) for db, each in sorted(census.databases.items())]
    forms: Rows = [(*form, each.keys, None if form[0] == "string" else each.elements, each.bytes, each.memory)
                   for form, each in sorted(census.forms.items(), key=lambda item: -item[1].memory)]  # fmt: skip
    terms: Rows = [(name, count) for name, count in census.terms.items()] if census.all.expires else []
    largest: Rows = [(size, entry.type, None if entry.type == "string" else entry.value, entry.db, entry.key)
                     for size, entry in census.largest()]  # fmt: skip
    return [("databases", DATABASES, databases), ("types", FORMS, forms), ("expiry", TERMS, terms),
            ("largest", LARGEST, largest)]  # fmt: skip


def _human(reading: Reading, facts: dict[str, tuple[object, object]], tables: Any, options: Options) -> None:
    from redtool.render.shape.kinds import Column, Table

    cells = [(name.replace("_", " ").encode(), encoded(shown)) for name, (_, shown) in facts.items()]
    text = draw(Table((Column("", "key"), Column("")), cells, len(cells), ""), options)
    for name, fields, rows in tables:
        if not rows or (name == "databases" and len(rows) == 1):
            continue
        heads = tuple(Column(field.name, field.role) for field in fields)
        drawn = [tuple(encoded(_shown(field, value)) for field, value in zip(fields, row, strict=True)) for row in rows]
        text += "\n" + draw(Table(heads, drawn, len(drawn), ""), options)
    write_text(text, options)


def _shown(field: Field, value: object) -> object:
    if isinstance(value, int) and field.role == COUNT and field.shown is None:
        return f"{value:,}"
    return value.replace("_", " ") if field.name == "expiry" and isinstance(value, str) else field.for_people(value)


def _json(reading: Reading, facts: dict[str, tuple[object, object]], tables: Any, options: Options) -> None:
    from redtool.render import choose

    values: dict[bytes, object] = {name.encode(): encoded(value) for name, (value, _) in facts.items()}
    for name, fields, rows in tables:
        if name == "expiry":
            values[b"expiry"] = {term.encode(): count for term, count in rows}
        else:
            values[name.encode()] = [{field.name.encode(): encoded(value)
                                      for field, value in zip(fields, row, strict=True)} for row in rows]  # fmt: skip
    oneshot.write(choose("json")((), values))


def _lines(reading: Reading, facts: dict[str, tuple[object, object]], tables: Any, options: Options) -> None:
    """Facts as name and value, then rows that begin with their table's name."""
    name = oneshot.format_of(options)
    pair = (Field("name"), Field("value"))
    out = [line(pair, (fact.encode(), value), name) for fact, (value, _) in facts.items()]
    for table, fields, rows in tables:
        out += [line((Field("table"), *fields), (as_bytes(table), *row), name) for row in rows]
    oneshot.write(b"".join(out))
