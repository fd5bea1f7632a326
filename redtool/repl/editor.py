"""The line editor's parts: colours, the grey hint, completion, keys. What they show is decided elsewhere.

A suggestion from the history goes before the hint: it is shown where the line is the start of an earlier one, and the
right arrow takes it. Elsewhere the hint stands, which is never taken; the toolbar has the syntax in either case.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from prompt_toolkit.application import get_app
from prompt_toolkit.auto_suggest import AutoSuggest, Suggestion
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import completion_is_selected, has_completions, has_focus
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout.processors import Processor, Transformation, TransformationInput
from prompt_toolkit.lexers import Lexer
from prompt_toolkit.utils import get_cwidth

from redtool.repl.judge import Verdict, judge
from redtool.repl.shell import Shell
from redtool.repl.sources import Found
from redtool.repl.suggest import Wanted, wanted
from redtool.repl.typed import Typed, decode, encode, logical, written
from redtool.words import needs_more

REMEMBERED = 64  # judged lines
NARROWEST = 4  # cells that a hint needs
HELP_WIDTH = 60  # characters of help beside a completion


class Judge:
    """Judge lines of a shell, each once."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self._commands: object = None
        self._known: dict[str, Verdict] = {}

    def __call__(self, text: str) -> Verdict:
        """Judge one logical line."""
        if self._commands is not self.shell.commands or len(self._known) > REMEMBERED:
            self._commands = self.shell.commands
            self._known.clear()
        verdict = self._known.get(text)
        if verdict is None:
            known = self.shell.known
            verdict = self._known[text] = judge(text, self.shell.commands) if known else Verdict(Typed(text))
        return verdict

    def at_cursor(self, document: Document) -> Verdict:
        """Judge the logical line that the cursor is in."""
        line = ""
        for start, text in logical(document.text):
            if start <= document.cursor_position:
                line = text
        return self(line)


# -- colours


class RoleLexer(Lexer):
    """Colour each word by its role; a password shows as stars."""

    def __init__(self, judged: Judge) -> None:
        self.judged = judged

    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        rows: list[StyleAndTextTuples] = [[]]
        for at, (_, text) in enumerate(logical(document.text)):
            if at:
                rows.append([])
            for role, piece in pieces(text, self.judged(text)):
                first, *others = piece.split("\n")
                rows[-1].append((f"class:{role}", first))
                rows += [[(f"class:{role}", other)] for other in others]
        return lambda row: rows[row] if row < len(rows) else []


def pieces(text: str, verdict: Verdict) -> Iterator[tuple[str, str]]:
    """Cut a logical line into (role, text), blanks and all."""
    typed = verdict.typed
    if typed.comment:
        yield "comment", text
        return
    at = 0
    for word, role in zip(typed.words, verdict.roles, strict=False):
        yield "", text[at : word.start]
        body = text[word.start : word.end]
        if role == "secret":
            body = "*" * len(body)
        opening = 1 if body[:1] in ("'", '"') else 0
        closing = len(body) - 1 if opening and len(body) > 1 and not word.quote and body[-1] == body[0] else len(body)
        yield "quote", body[:opening]
        yield role, body[opening:closing]
        yield "quote", body[closing:]
        at = word.end
    yield "", text[at:]


class Earlier(AutoSuggest):
    """Suggest the latest line of the history that the typed one begins."""

    def get_suggestion(self, buffer: Buffer, document: Document) -> Suggestion | None:
        text = document.text
        if not text.strip() or "\n" in text:
            return None
        for line in reversed(buffer.history.get_strings()):
            if line.startswith(text) and len(line) > len(text) and "\n" not in line:
                return Suggestion(line[len(text) :])
        return None


class Hint(Processor):
    """Show the rest of the syntax in grey behind the line, as much as fits beside it."""

    def __init__(self, judged: Judge, shell: Shell) -> None:
        self.judged, self.shell = judged, shell

    def apply_transformation(self, transformation_input: TransformationInput) -> Transformation:
        document, fragments = transformation_input.document, transformation_input.fragments
        last = transformation_input.lineno == document.line_count - 1
        suggestion = transformation_input.buffer_control.buffer.suggestion
        at_end = last and document.is_cursor_at_the_end and not get_app().is_done
        if not at_end or (suggestion is not None and suggestion.text):
            return Transformation(fragments)
        verdict = self.judged.at_cursor(document)
        if not verdict.hint or (verdict.problem and verdict.certain):
            return Transformation(fragments)
        hint = verdict.hint if document.text[-1:] in (" ", "\t", "\n") else f" {verdict.hint}"
        used = sum(len(text) for _, text in prompt_of(self.shell)) + get_cwidth(document.current_line)
        room = transformation_input.width - used % max(transformation_input.width, 1) - 1
        if room < NARROWEST:
            return Transformation(fragments)
        shown = hint if len(hint) <= room else hint[: room - 1] + "…"
        return Transformation([*fragments, ("class:hint", shown)])


def prompt_of(shell: Shell) -> list[tuple[str, str]]:
    from redtool.repl.toolbar import prompt

    return prompt(shell.facts)


# -- completion


class WordCompleter(Completer):
    """Complete the word at the cursor: fixed words at once, what a server must be asked for when it has answered."""

    def __init__(self, shell: Shell, pool: ThreadPoolExecutor) -> None:
        self.shell, self.pool = shell, pool

    def wanted(self, document: Document) -> Wanted:
        start, line = logical(document.text_before_cursor)[-1]
        want = wanted(line, self.shell.commands)
        want.start += start
        return want

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """All completions, waiting for them if need be."""
        want = self.wanted(document)
        found = [pair for lookup in want.lookups for pair in self._answer(want, lookup)]
        return completions(want, found, document.cursor_position)

    async def get_completions_async(
        self, document: Document, complete_event: CompleteEvent
    ) -> AsyncGenerator[Completion, None]:
        want = self.wanted(document)
        found: Found = []
        for lookup in want.lookups:
            if self.shell.source is not None and self.shell.source.slow:
                found += await asyncio.get_running_loop().run_in_executor(self.pool, self._answer, want, lookup)
            else:
                found += self._answer(want, lookup)
        for completion in completions(want, found, document.cursor_position):
            yield completion

    def _answer(self, want: Wanted, lookup: object) -> Found:
        source = self.shell.source
        return source.answer(lookup, want.prefix) if source is not None else []  # type: ignore[arg-type]


def completions(want: Wanted, found: Found, cursor: int) -> list[Completion]:
    """Make completions of what was found and of the fixed words, in this order."""
    start = want.start - cursor
    out: dict[str, Completion] = {}
    for value, help in found:
        if value not in want.used:
            text = written(value, want.mark)
            out.setdefault(text, Completion(text, start, decode(value) or text, help))
    for offer in want.offers:
        text = written(encode(offer.text), want.mark)
        help = offer.help if len(offer.help) <= HELP_WIDTH else offer.help[: HELP_WIDTH - 1] + "…"
        out.setdefault(text, Completion(text, start, offer.text, help))
    if len(out) == 1 and next(iter(out)) == written(want.prefix, want.mark):
        return []  # it is there already
    return list(out.values())


# -- keys


def key_bindings(shell: Shell) -> KeyBindings:
    """Enter and Tab where they differ from the editor's own."""
    keys = KeyBindings()
    editing = has_focus(DEFAULT_BUFFER)  # and not searching

    @keys.add("enter", filter=editing & completion_is_selected)
    def take(event: KeyPressEvent) -> None:
        event.current_buffer.complete_state = None

    @keys.add("enter", filter=editing & ~completion_is_selected)
    def run(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if needs_more(encode(buffer.text)):
            buffer.insert_text("\n")
        else:
            shell.interrupts.deaf = False  # from here on Ctrl-C is for the command
            buffer.validate_and_handle()

    @keys.add("tab", filter=editing & ~has_completions)
    def complete(event: KeyPressEvent) -> None:
        event.current_buffer.start_completion(insert_common_part=True)

    @keys.add("tab", filter=editing & has_completions)
    def next_one(event: KeyPressEvent) -> None:
        state = event.current_buffer.complete_state
        event.current_buffer.complete_next()
        if state is not None and len(state.completions) == 1:
            event.current_buffer.complete_state = None

    @keys.add("c-l")
    def clear(event: KeyPressEvent) -> None:
        get_app().renderer.clear()

    return keys
