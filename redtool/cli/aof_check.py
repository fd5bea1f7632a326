"""``redtool aof check``: every file of an AOF, and up to which byte it is whole."""

from __future__ import annotations

import os

from redtool import exits, oneshot
from redtool.cli.output import Field, encoded, note, progress, show_rows, size_text
from redtool.cli.place import KINDS, AofFiles, aof_files
from redtool.options import Options
from redtool.persist.check import FileReport, report_of

FIELDS = (Field("kind"), Field("size", "number", size_text), Field("keys", "number"), Field("commands", "number"),
          Field("whole_to", "number"), Field("verdict"), Field("file", "key"))  # fmt: skip
SHOWN = (Field("kind"), Field("size", "number", size_text), Field("holds", "number"), Field("whole to byte", "number"),
         Field("file", "key"))  # fmt: skip


def run(word: str, options: Options) -> int:
    """Check and print; gives the exit code."""
    files = aof_files(word, options)
    reports = []
    with progress("reading the AOF", len(files.parts)) as advance:
        for part in files.parts:
            reports.append(report_of(part, files.path(part)))
            advance(len(reports))
    name = oneshot.format_of(options)
    if name == "json":
        _json(files, reports)
    elif name == "human":
        show_rows(SHOWN, [_shown(report) for report in reports], options, "file")
    else:
        show_rows(FIELDS, [_row(report) for report in reports], options, "file")
    return _tell(files, reports)


def _row(report: FileReport) -> tuple[object, ...]:
    return (KINDS.get(report.kind, report.kind), report.size, _keys(report), report.commands or None, report.whole,
            report.problem or "whole", report.name)  # fmt: skip


def _shown(report: FileReport) -> tuple[object, ...]:
    """The same for people."""
    from redtool.render.cells import plural

    parts = [plural(count, noun) for count, noun in ((_keys(report), "key"), (report.commands, "command")) if count]
    whole = f"{report.whole:,}" if report.problem else "its end"
    return KINDS.get(report.kind, report.kind), report.size, " and ".join(parts) or "nothing", whole, report.name


def _keys(report: FileReport) -> int | None:
    """Keys of the RDB part; None where there is none."""
    databases = report.contents.databases.values()
    return sum(sum(kinds.values()) - kinds.get("expires", 0) for kinds in databases) if any(databases) else None


def _json(files: AofFiles, reports: list[FileReport]) -> None:
    from redtool.render import choose

    values = [{field.name.encode(): encoded(value)
               for field, value in zip(FIELDS, _row(report), strict=True)} for report in reports]  # fmt: skip
    for found, report in zip(values, reports, strict=True):
        del found[b"verdict"]
        found[b"problem"] = report.problem.encode() or None
    whole = not any(report.problem for report in reports)
    oneshot.write(choose("json")((), {b"manifest": os.fsencode(files.manifest) or None, b"whole": whole,
                                      b"files": values}))  # fmt: skip


def _tell(files: AofFiles, reports: list[FileReport]) -> int:
    """Say on stderr what is wrong and what can be done about it."""
    wrong = [report for report in reports if report.problem]
    for report in wrong:
        oneshot.complain(f"redtool: {report.path}: {report.problem}, at byte {report.whole}")
    for report in reports:
        for text in report.contents.warnings:
            note(text)
    if not wrong:
        return exits.OK
    last = wrong[0] is reports[-1] and wrong[0].problem != "missing" and wrong[0].kind != "b"
    lost = wrong[0].size - wrong[0].whole
    if last and files.manifest:
        note(f"redtool aof fix {os.path.dirname(files.folder) or '.'} cuts the last {lost:,} bytes off and keeps them "
             "beside the file.")  # fmt: skip
    elif not last:
        note("Only the end of the last file can be cut off; this takes a backup.")
    return exits.ERROR_REPLY


