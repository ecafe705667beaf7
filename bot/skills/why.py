"""`/why`: how a reply of Jay's came about, for whoever may see it.

Numbers are told as they were noted with the reply (`bot/traces`). Messages are
named as they read now, and only those that still stand; words of Jay's are
shown only where all that they were made from stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from bot.messages import IncomingMessage
from bot.prompts import Sampling
from bot.skills.quoting import day
from bot.skills.skill import Outcome, Recall, Recalled, Request, Steps, recall
from bot.traces import Asked, Passage, Sureness, Trace

WHY = "why"
NAMED = 8
"""Messages that are named of those that a prompt held, the newest."""
LONGEST_EXCERPT = 80
"""Characters of a passage that are shown."""
LONGEST_TEXT = 500
"""Characters of the reply in which its unsure words are marked."""
NOTHING_KNOWN = (
    "I do not know, or no longer know, how that came about. I note it when a reply is finished and "
    "keep it for a week; it goes earlier when the reply is deleted."
)
NONE_HERE = (
    "I know of no reply of mine here that I could explain. I keep how one came about for a week."
)
NOT_ALL_STANDS = (
    "I show none of my words: what they were made from was edited or taken back in part, or is "
    "too old to tell."
)
ENDS = {
    "stop": "It ended by itself.",
    "length": "It was cut at the longest reply that I give.",
    "guard:loop": "A guard cut it: it was repeating itself.",
    "guard:flood": "A guard cut it: it was repeating one sign.",
    "guard:invented_turn": "A guard cut it: it went on to write somebody else's message.",
    "stopped": "Somebody stopped it.",
}
"""How a reply ended, by its `finish`."""
_LINKED = re.compile(r"/p(\d{10})(\d{6})\b|/channels/(?:\d+|@me)/\d+/(\d+)")
"""The message in a permalink, of Slack or Discord."""
_MARKS = re.compile(r"([\\`*_\[\]<>!|~@:])")


def why(request: Request) -> Steps[Outcome]:
    """Yield what is needed, return what is known of a reply."""
    asked = request.text.strip()
    found = yield from recall(
        Recall(
            place=request.place,
            person=request.person,
            message_id=message_in(asked),
            alone=request.command or request.place.direct,
        )
    )
    if found.trace is None:
        return Outcome(text=NOTHING_KNOWN if asked else NONE_HERE)
    return Outcome(text=told(found.trace, found))


def message_in(asked: str) -> str:
    """Return the id of the message that is meant: a permalink's, or what was given as it is."""
    linked = _LINKED.search(asked)
    if linked is None:
        return asked
    return linked[3] or f"{linked[1]}.{linked[2]}"


def told(trace: Trace, found: Recalled) -> str:
    """Return in Markdown what is known of a reply."""
    lines = [
        *_read(trace, found),
        *_passages(trace, found),
        *_asked(trace.asked),
        *_sure(trace, found),
        _ended(trace),
    ]
    return "**Why this reply**\n" + "\n".join(f"- {line}" for line in lines if line)


def _read(trace: Trace, found: Recalled) -> Iterable[str]:
    people = [one.message_ids[0] for one in trace.read if one.role == "person" and one.message_ids]
    mine = sum(1 for one in trace.read if one.role == "jay")
    if trace.read:
        turns = f"{_count(len(people), 'message')} of people and {_count(mine, 'reply')} of mine"
        older = (
            f"; {_count(trace.left_out, 'older turn')} no longer fitted" if trace.left_out else ""
        )
        yield f"The prompt held {turns}{older}."
    if trace.cut_tokens:
        yield f"{trace.cut_tokens:,} tokens were cut out of the newest message: it alone is too long."
    standing = [one for message_id in people if (one := found.standing.get(message_id))]
    named = [_named(one, found) for one in standing[-NAMED:]]
    if named:
        more = f" and {len(standing) - NAMED} before" if len(standing) > NAMED else ""
        yield f"From people: {', '.join(named)}{more}."
    gone = sum(1 for message_id in people if message_id not in found.standing)
    if gone:
        now = "reads as it did, or is" if gone == 1 else "read as they did, or are"
        yield f"{_count(gone, 'message')} of these no longer {now} gone."
    if trace.cited:
        yield f"It stands on {_count(trace.cited, 'message')}, linked in the reply."


def _passages(trace: Trace, found: Recalled) -> Iterable[str]:
    if not trace.passages:
        return
    yield (
        "Found, best first (evidence, above 0 it counts as an answer; by words, BM25; by meaning, "
        "-1 to 1):"
    )
    for one in trace.passages:
        yield f"{_scores(one)}: {_excerpt(one, found)}"


def _scores(one: Passage) -> str:
    meaning = "–" if one.meaning is None else f"{one.meaning:.2f}"
    return f"{one.score:+.2f}; {one.words:.2f}; {meaning}{', shown' if one.shown else ''}"


def _excerpt(one: Passage, found: Recalled) -> str:
    message = found.standing.get(one.message_id)
    if message is None:
        return "a message that no longer reads as it did, or is gone"
    text = " ".join(message.text.split())
    if len(text) > LONGEST_EXCERPT:
        text = text[:LONGEST_EXCERPT].rsplit(" ", 1)[0] + " …"
    return f"{_named(message, found)}: {plain(text)}"


def _named(message: IncomingMessage, found: Recalled) -> str:
    link, when = found.links.get(message.message_id), day(message.sent_at)
    return f"{plain(message.author.name)} {f'[{when}]({link})' if link else when}"


def _asked(asked: Asked | None) -> Iterable[str]:
    if asked is None:
        yield "No model was asked: these are the messages themselves, or words of the program."
        return
    prompts = "" if asked.prompts == 1 else f" in {asked.prompts:,} prompts"
    fits = f" of {asked.budget_tokens:,} that a prompt may take" if asked.prompts == 1 else ""
    cached = (
        f", {asked.cached_tokens:,} of them answered by the cache" if asked.cached_tokens else ""
    )
    yield (
        f"Read {asked.prompt_tokens:,} tokens{fits}{prompts}{cached}; wrote {asked.reply_tokens:,} "
        f"(at most {asked.max_tokens:,}). The window has {asked.window:,}."
    )
    if asked.noted:
        was = "was" if asked.noted == 1 else "were"
        yield f"{_count(asked.noted, 'part')} had been read before and {was} noted."
    revision = f", revision {_code(revision_name(asked.revision))}" if asked.revision else ""
    yield f"Model {_code(asked.model)}{revision}, prompt family {_code(asked.family)}."
    yield f"Sampling: {sampled(asked.sampling)}."


def sampled(sampling: Sampling) -> str:
    """Return how tokens were drawn, in words."""
    top_k = f"{sampling.top_k}" if sampling.top_k else "off"
    return (
        f"temperature {sampling.temperature:g}, top-p {sampling.top_p:g}, top-k {top_k}, "
        f"repetition penalty {sampling.repetition_penalty:g}"
    )


def revision_name(revision: str) -> str:
    """Return a revision without the operator's folders: `/srv/models/gptj` is `gptj`."""
    return revision.rstrip("/").rpartition("/")[2] if revision.startswith("/") else revision


def _sure(trace: Trace, found: Recalled) -> Iterable[str]:
    if trace.begun_chars:
        yield (
            f"Another worker began it: of the first {trace.begun_chars:,} characters I don't know "
            "how sure the model was."
        )
    sure = trace.sureness
    if sure is None:
        if trace.asked is not None:
            yield "How sure the model was of its words is not known."
        return
    yield (
        f"Mean log-probability of its {sure.tokens:,} tokens: {sure.mean_logprob:.2f} "
        "(0 is certain)."
    )
    if not sure.unsure:
        return
    marked = mark(found.text, sure) if found.text else ""
    yield f"Unsure words, with their probability: {marked}" if marked else NOT_ALL_STANDS


def mark(text: str, sure: Sureness) -> str:
    """Return the reply's text with its unsure words marked; only what stands around them."""
    spans = [one for one in sure.unsure if one.end <= len(text)]
    if not spans:
        return ""
    begin = max(0, min(spans[0].start, len(text) - LONGEST_TEXT))
    begin = text.rfind(" ", 0, begin) + 1
    parts, at = ["… " if begin else ""], begin
    for one in spans:
        if one.end > begin + LONGEST_TEXT:
            break
        parts.append(_line(text[at : one.start]))
        parts.append(f"**{plain(text[one.start : one.end])}** ({_percent(one.probability)})")
        at = one.end
    end = max(at, begin + LONGEST_TEXT)
    rest = text[at:end]
    parts.append(_line(rest) if end >= len(text) else f"{_line(rest.rpartition(' ')[0])} …")
    return "".join(parts)


def _ended(trace: Trace) -> str:
    ended = ENDS.get(trace.finish, "")
    if trace.finish.startswith("error:"):
        ended = f"The model's server failed on the way ({trace.finish.partition(':')[2]})."
    if trace.withheld:
        return (
            "What the model said was not shown: the messages did not support all of it, or it did "
            "not answer."
        )
    return ended if trace.asked is not None else ""


def plain(text: str) -> str:
    """Return text so that Markdown shows it as it is."""
    return _MARKS.sub(r"\\\1", text)


def _line(text: str) -> str:
    return plain(re.sub(r"\s+", " ", text))


def _code(text: str) -> str:
    return f"`{text.replace('`', '')}`"


def _percent(share: float) -> str:
    return "under 1 %" if share < 0.01 else f"{100 * share:.0f} %"


def _count(number: int, noun: str) -> str:
    if number == 1:
        return f"1 {noun}"
    return f"{number:,} {noun[:-1]}ies" if noun.endswith("y") else f"{number:,} {noun}s"
