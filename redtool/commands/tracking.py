"""CLIENT TRACKING, CACHING, TRACKINGINFO, GETREDIR: clients that keep replies are told when keys change.

By default the store remembers who read which key; a change to it tells them, once. With BCAST clients hear of every
change to keys with their prefixes instead, at the end of the batch of commands that made it.
"""

from __future__ import annotations

from redtool import errors
from redtool.commands.table import group
from redtool.entries import SCRIPTS
from redtool.numeric import to_int
from redtool.resp import OK, Push

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.commands.table import Command
    from redtool.entries import Entry
    from redtool.resp import Reply
    from redtool.session import Argv, Session
    from redtool.store import Store

command = group("connection")

CHANNEL = b"__redis__:invalidate"
FLAGS = "noscript loading stale"


class Tracking:
    """What one client asked for. ``caching``: CLIENT CACHING was given for the next command."""

    __slots__ = ("bcast", "broken", "caching", "noloop", "optin", "optout", "prefixes", "redirect")

    def __init__(self, options: set[bytes], redirect: int, prefixes: list[bytes]) -> None:
        self.bcast, self.noloop = b"BCAST" in options, b"NOLOOP" in options
        self.optin, self.optout = b"OPTIN" in options, b"OPTOUT" in options
        self.redirect, self.prefixes = redirect, prefixes
        self.caching = self.broken = False

    def flags(self) -> list[bytes]:
        """What TRACKINGINFO says, in a server's order."""
        facts = {
            b"on": True, b"bcast": self.bcast, b"optin": self.optin, b"caching-yes": self.optin and self.caching,
            b"optout": self.optout, b"caching-no": self.optout and self.caching, b"noloop": self.noloop,
            b"broken_redirect": self.broken,
        }  # fmt: skip
        return [word for word, holds in facts.items() if holds]


class Trackers:
    """The clients that track keys: who has read which key, and who wants to hear of which prefix."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.table: dict[bytes, dict[int, None]] = {}  # key -> numbers of the clients that have read it
        self.items = 0  # numbers in the table
        self.prefixes: dict[bytes, dict[Session, None]] = {}
        self._changed: dict[bytes, dict[bytes, Session | None]] = {}  # prefix -> key -> who changed it last

    def count(self) -> int:
        """How many clients track keys."""
        return sum(session.tracking is not None for session in self.store.sessions.values())

    # -- clients come and go

    def join(self, session: Session, wants: Tracking) -> None:
        """Take a client in, or let it track in another way."""
        if session.tracking is not None and wants.bcast:
            wants.prefixes += [prefix for prefix in session.tracking.prefixes if prefix not in wants.prefixes]
        wants.prefixes.sort()
        session.tracking = wants
        for prefix in wants.prefixes:
            self.prefixes.setdefault(prefix, {})[session] = None
        session.review()

    def leave(self, session: Session) -> None:
        """Let a client track no more. Its number stays in the table until the key changes, as in a server."""
        wants, session.tracking = session.tracking, None
        for prefix in wants.prefixes if wants is not None else ():
            line = self.prefixes[prefix]
            del line[session]
            if not line:
                del self.prefixes[prefix]
        session.review()

    # -- keys are read

    def note(self, session: Session, entry: Entry | None, argv: Argv) -> None:
        """Remember the keys that a command has read; a refused command (no entry) has read none."""
        client = session.caller or session
        wants = client.tracking
        if wants is None:
            return
        if entry is not None and "readonly" in entry.flags and not wants.bcast:
            skipped = wants.caching if wants.optout else wants.optin and not wants.caching
            # What a script reads is noted as it reads it, not by the keys that it was called with.
            if not skipped and entry.command.name not in SCRIPTS:
                self._remember(client.id, entry.command, argv)
        # CACHING holds for the next command, or the next transaction.
        if self.store.depth == 1 and session.queue is None:
            wants.caching = wants.caching and entry is not None and entry.command.name.startswith("CLIENT ")

    def _remember(self, number: int, command: Command, argv: Argv) -> None:
        from redtool.commands.keyspecs import found_keys

        table = self.table
        for place, _ in found_keys(command, argv) or ():
            line = table.setdefault(argv[place], {})
            self.items += number not in line
            line[number] = None
        most = self.store.config["tracking-table-max-keys"]
        while most and len(table) > most:
            self._tell(next(iter(table)), None)

    # -- keys change

    def invalidate(self, session: Session | None, key: bytes) -> None:
        """A key has changed, by this client or (None) by itself."""
        for prefix in self.prefixes:
            if key.startswith(prefix):
                self._changed.setdefault(prefix, {})[key] = session
        if key in self.table:
            self._tell(key, self.store.current if session is None else session.caller or session)

    def _tell(self, key: bytes, by: Session | None) -> None:
        """Tell those who have read a key, and forget that they have."""
        numbers = self.table.pop(key)
        self.items -= len(numbers)
        for number in numbers:
            target = self.store.sessions.get(number)
            wants = target.tracking if target is not None else None
            if target is not None and wants is not None and not wants.bcast and not (wants.noloop and target is by):
                self._send(target, [key])

    def settle(self) -> None:
        """Send what has been gathered for prefixes: at the end of a batch."""
        if not self._changed:
            return
        changed, self._changed = self._changed, {}
        for prefix in sorted(changed):
            keys = changed[prefix]
            for session in list(self.prefixes.get(prefix, ())):
                mine = [key for key in sorted(keys) if not (session.tracking.noloop and keys[key] is session)]
                if mine:
                    self._send(session, mine)

    def flushed(self) -> None:
        """Databases were emptied: everything that anybody keeps is void."""
        for session in list(self.store.sessions.values()):
            if session.tracking is not None:
                self._send(session, None)
        self.table.clear()
        self.items = 0

    def _send(self, target: Session, keys: list[bytes] | None) -> None:
        """Push an invalidation to a client, or to the one that it redirects to; RESP2 has it as a message alone."""
        wants, to = target.tracking, target
        if wants.redirect:
            found = self.store.sessions.get(wants.redirect)
            if found is None or found.ended:
                wants.broken = True
                if target.proto == 3:
                    target.deliver(Push([b"tracking-redir-broken", wants.redirect]))
                return
            to = found
        if to.ended:
            return
        if to.proto == 3:
            to.deliver(Push([b"invalidate", keys]))
        elif wants.redirect and to.listens:
            to.deliver(Push([b"message", CHANNEL, keys]))


# -- commands


@command("CLIENT TRACKING <ON | OFF> [REDIRECT client-id] [PREFIX prefix [PREFIX prefix ...]] [BCAST] [OPTIN] "
         "[OPTOUT] [NOLOOP]", FLAGS, since="6.0.0", complexity="O(1), and O(N) prefixes with BCAST")  # fmt: skip
def client_tracking(c: Session, mode: bytes, *words: bytes) -> Reply:
    """Be told when keys change that this client has read, so that it may keep them.

    > CLIENT TRACKING ON BCAST PREFIX user: PREFIX cart:
    OK
    > CLIENT TRACKING OFF
    OK
    """
    options, redirect, prefixes = parse(c, words)
    if mode.upper() == b"OFF":
        stop(c)
    elif mode.upper() == b"ON":
        check(c, options, prefixes)
        if c.store.trackers is None:
            c.store.trackers = Trackers(c.store)
            c.store.review()
        if b"BCAST" in options and not prefixes:
            prefixes = [b""]
        c.store.trackers.join(c, Tracking(options, redirect, list(dict.fromkeys(prefixes))))
    else:
        raise errors.SyntaxError_
    return OK


def parse(c: Session, words: Argv) -> tuple[set[bytes], int, list[bytes]]:
    """The options, the client to redirect to (0: none) and the prefixes."""
    options: set[bytes] = set()
    prefixes: list[bytes] = []
    redirect = at = 0
    while at < len(words):
        word, more = words[at].upper(), at + 1 < len(words)
        if word == b"REDIRECT" and more:
            if redirect:
                raise errors.OneRedirect
            redirect = to_int(words[at + 1])
            if redirect not in c.store.sessions:
                raise errors.NoRedirectTarget
            at += 1
        elif word == b"PREFIX" and more:
            prefixes.append(words[at + 1])
            at += 1
        elif word in (b"BCAST", b"OPTIN", b"OPTOUT", b"NOLOOP"):
            options.add(word)
        else:
            raise errors.SyntaxError_
        at += 1
    return options, redirect, prefixes


def check(c: Session, options: set[bytes], prefixes: list[bytes]) -> None:
    """Refuse what does not go together, or not with how the client tracks now."""
    now: Tracking | None = c.tracking
    bcast, optin, optout = b"BCAST" in options, b"OPTIN" in options, b"OPTOUT" in options
    if prefixes and not bcast:
        raise errors.PrefixNeedsBcast
    if now is not None and now.bcast != bcast:
        raise errors.BcastSwitch
    if bcast and (optin or optout):
        raise errors.BcastWithOpt
    if optin and optout:
        raise errors.OptinWithOptout
    if now is not None and ((optin and now.optout) or (optout and now.optin)):
        raise errors.OptSwitch
    for at, prefix in enumerate(prefixes):
        for others, which in ((now.prefixes if now is not None else [], "an existing"),
                              (prefixes[at + 1 :], "another provided")):  # fmt: skip
            for other in others:
                if prefix.startswith(other) or other.startswith(prefix):
                    raise errors.PrefixOverlap(_text(prefix), which, _text(other))


def _text(word: bytes) -> str:
    return word.decode("utf-8", "surrogateescape")


def stop(c: Session) -> None:
    """Track no more."""
    if c.tracking is not None and c.store.trackers is not None:
        c.store.trackers.leave(c)


@command("CLIENT CACHING <YES | NO>", f"{FLAGS} allow_busy", since="6.0.0")
def client_caching(c: Session, mode: bytes) -> Reply:
    """Track, or with OPTOUT do not, the keys that the next command reads.

    > CLIENT TRACKING ON OPTIN
    OK
    > CLIENT CACHING YES
    OK
    """
    wants: Tracking | None = c.tracking
    if wants is None:
        raise errors.NoCaching
    word = mode.upper()
    if word == b"YES" and not wants.optin:
        raise errors.CachingYes
    if word == b"NO" and not wants.optout:
        raise errors.CachingNo
    if word not in (b"YES", b"NO"):
        raise errors.SyntaxError_
    wants.caching = True
    return OK


@command("CLIENT TRACKINGINFO", FLAGS, since="6.2.0")
def client_trackinginfo(c: Session) -> Reply:
    """Tell how this client tracks keys.

    > CLIENT TRACKINGINFO
    1) "flags"
    2) 1) "off"
    3) "redirect"
    4) (integer) -1
    5) "prefixes"
    6) (empty array)
    """
    wants: Tracking | None = c.tracking
    flags = wants.flags() if wants is not None else [b"off"]
    return {
        b"flags": flags if c.proto == 2 else set(flags),
        b"redirect": -1 if wants is None else wants.redirect,
        b"prefixes": list(wants.prefixes) if wants is not None else [],
    }


@command("CLIENT GETREDIR", f"{FLAGS} allow_busy", since="6.0.0")
def client_getredir(c: Session) -> Reply:
    """Give the number of the client that is told of changes in this one's place.

    It is 0 without such a client, -1 without tracking.

    > CLIENT GETREDIR
    (integer) -1
    """
    return -1 if c.tracking is None else c.tracking.redirect
