"""Checks what the model claims against the messages that it was given.

A small model invents, and mixes what it read into sentences that read like
quotations. So a claim counts as supported only where it is a shortening of one
sentence of one message: each of its words with a meaning stands there, in the
same order, and no name, number, date, "not" or "perhaps" was left out between
them. Its author may be named for "I", or as the one who said it. What asks
supports nothing. What fails is not shown; a message stands in its place. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.retrieval.terms import fold

WORD = re.compile(r"\d+(?:[.,:/-]\d+)*[^\W_]*|[^\W_]+(?:['’-][^\W_]+)*")
MOST_LEFT_OUT = 3
"""Words with a meaning that may be left out between two that follow one another in the claim."""
NEGATIONS = frozenset(
    """no not never none nothing nobody neither nor without cannot hardly can't won't don't isn't
    aren't wasn't weren't didn't doesn't hasn't haven't hadn't couldn't shouldn't wouldn't""".split()
)
HEDGES = frozenset(
    """if unless maybe perhaps might may could should would probably possibly think thought believe
    hope hoping guess hopefully almost nearly unlikely supposed allegedly until except only
    unclear instead""".split()
)
"""What turns a statement into less than one: kept in both or in neither."""
TOLD = frozenset(
    """said says say wrote writes told tells reported reports mentioned mentions noted notes
    announced thinks asked answered explained""".split()
)
CALENDAR = frozenset(
    """monday tuesday wednesday thursday friday saturday sunday today tonight tomorrow yesterday
    january february march april june july august september october november december noon
    midnight""".split()
)
NUMBERS = frozenset(
    """one two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty
    sixty seventy eighty ninety hundred thousand million dozen half twice first second third""".split()
)
PLAIN = frozenset(
    """a about after all also am an and any are as at be been before being but by can could did do
    does for from get got had has have he her here him his how i if in into is it its just let like
    may me might more mr mrs my now of on or our out over said says she should so some than that
    the their them then there these they this those to too up us was we were what when where which
    while who whose why will with would you your jay""".split()
)
"""Words that carry no claim."""
FIRST_PERSON = frozenset("i i'm i'll i've i'd me my mine myself i’m i’ll i’ve i’d".split())


@dataclass(frozen=True, slots=True)
class _Word:
    """One word of a claim or a source."""

    text: str
    """In lower case, without a possessive ending."""
    must: bool
    """A name, number or date: left out, it changes what is said."""

    @property
    def plain(self) -> bool:
        return self.text in PLAIN or self.text in FIRST_PERSON

    @property
    def stem(self) -> str:
        return fold(self.text)


def words(text: str) -> list[str]:
    """Return a text's words in lower case, without possessive endings."""
    return [_plain(word) for word in WORD.findall(text)]


def content_words(text: str) -> list[str]:
    """Return the words that carry a claim."""
    return [word for word in words(text) if word not in PLAIN]


def sentences(text: str) -> list[str]:
    """Split into sentences at their ends and at line breaks."""
    parts = re.split(r"(?<=[.!?])\s+(?=[A-Z0-9\"'“(])|\n+", text)
    return [part.strip(" -*•\t") for part in parts if part.strip(" -*•\t")]


def vital(sentence: str) -> list[str]:
    """Return a sentence's names, numbers and dates, those of several words whole."""
    found: list[str] = []
    end = -1
    for at, match in enumerate(WORD.finditer(sentence)):
        if not _is_vital(match[0], at):
            continue
        if found and sentence[end : match.start()] == " ":
            found[-1] += f" {match[0]}"
        else:
            found.append(match[0])
        end = match.end()
    return found


def supported(sentence: str, sources: Iterable[str]) -> bool:
    """Tell whether one of the sources says what the sentence claims.

    Args:
        sentence: one sentence of the model's.
        sources: messages as `- Name: text`.
    """
    return any(_says(source, sentence) for source in sources)


def best_source(sentence: str, sources: Sequence[str]) -> int:
    """Return the index of the source that shares most with the sentence."""
    wanted = set(content_words(sentence))
    shared = [len(wanted & set(words(source))) for source in sources]
    return shared.index(max(shared))


def _says(source: str, claim: str) -> bool:
    author, _, text = source.removeprefix("- ").partition(": ")
    author_words = frozenset(words(author))
    claimed, framed = _without_frame(_words(claim), author_words)
    if not framed and any(word.text in FIRST_PERSON for word in claimed):
        # Unframed, "I" would be Jay.
        return False
    told = [word for word in claimed if not word.plain]
    if len({word.stem for word in told}) < 2:
        return False
    return any(
        _turns(claimed) == _turns(stated) and _shortens(told, stated, author_words)
        for one in sentences(text)
        if not one.endswith("?")
        for stated in (_words(one),)
    )


def _without_frame(claimed: list[_Word], author: frozenset[str]) -> tuple[list[_Word], bool]:
    """Take "Ana said that" off, where Ana is who wrote the message."""
    at = 0
    while at < len(claimed) and claimed[at].text in author:
        at += 1
    if 0 < at < len(claimed) and claimed[at].text in TOLD:
        return claimed[at + 1 :], True
    return claimed, False


def _turns(said: Iterable[_Word]) -> set[str]:
    """Return the words that turn a statement round or weaken it."""
    return {word.text for word in said if word.text in NEGATIONS | HEDGES}


def _shortens(told: Sequence[_Word], stated: Sequence[_Word], author: frozenset[str]) -> bool:
    """Tell whether the words stand in the sentence in this order, with nothing vital left out.

    The first word is looked for at each place, for it may stand there twice.
    """
    starts = (at for at, word in enumerate(stated) if _is(told[0], word, author))
    return any(_follows(told[1:], stated[at + 1 :], author) for at in starts)


def _follows(told: Sequence[_Word], stated: Sequence[_Word], author: frozenset[str]) -> bool:
    if not told:
        return True
    left_out = 0
    for at, word in enumerate(stated):
        if _is(told[0], word, author):
            return _follows(told[1:], stated[at + 1 :], author)
        left_out += not word.plain
        if word.must or left_out > MOST_LEFT_OUT:
            return False
    return False


def _is(claimed: _Word, stated: _Word, author: frozenset[str]) -> bool:
    """Tell whether two words are the same; the author's name is the same as "I"."""
    if claimed.text in author and stated.text in FIRST_PERSON:
        return True
    if claimed.must or stated.must:
        return claimed.text == stated.text
    return claimed.stem == stated.stem


def _words(text: str) -> list[_Word]:
    found = []
    for at, word in enumerate(WORD.findall(text)):
        found.append(_Word(text=_plain(word), must=_is_vital(word, at)))
    return found


def _is_vital(word: str, at: int) -> bool:
    """Tell whether the word at a place of a sentence is a name, a number or of a date."""
    plain = _plain(word)
    number = any(character.isdigit() for character in word)
    # A capital at the beginning tells nothing: there it is a name only if it isn't a word.
    name = word[0].isupper() and at > 0 and plain not in PLAIN | FIRST_PERSON
    return number or name or plain in CALENDAR or plain in NUMBERS


def _plain(word: str) -> str:
    return re.sub(r"['’]s$", "", word.lower())
