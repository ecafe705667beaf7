"""How the bot answers an interaction: the callback, its original response, follow-ups.

The interaction's token is all the authority that these calls need. Whether the answer is
seen by one or by all is settled by the first response and stays so.
"""

from __future__ import annotations

from adapters.sandbox.discord import checking, messages, posting
from adapters.sandbox.discord.calls import Call, Endpoint
from adapters.sandbox.discord.checking import Content
from adapters.sandbox.discord.guild import Guild
from adapters.sandbox.discord.interactions import (
    AUTOCOMPLETE,
    COMPONENT,
    Interaction,
    Interactions,
    interaction_record,
)
from adapters.sandbox.discord.refusals import Form, Refused
from adapters.sandbox.records import Json, Message

PONG, SAY, DEFER, DEFER_UPDATE, UPDATE, SUGGEST = 1, 4, 5, 6, 7, 8
_ORIGINAL = "@original"
_CHOICES_MAX = 25
_WEBHOOK = "/webhooks/{application_id}/{token}"


class Callbacks:
    """Serves the calls with which the bot answers interactions.

    Args:
        place: The server.
        interactions: What waits for an answer.
    """

    def __init__(self, place: Guild, interactions: Interactions) -> None:
        self._place = place
        self._interactions = interactions

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints, none of which needs the bot's token."""
        one = _WEBHOOK + "/messages/{message_id}"
        callback = "/interactions/{interaction_id}/{token}/callback"
        return [
            Endpoint("POST", callback, self.callback, "callback", with_token=False),
            Endpoint("POST", _WEBHOOK, self.follow_up, "webhook", with_token=False),
            Endpoint("GET", one, self.get, "webhook", with_token=False),
            Endpoint("PATCH", one, self.edit, "webhook", with_token=False),
            Endpoint("DELETE", one, self.delete, "webhook", with_token=False),
        ]

    # The first response

    def callback(self, call: Call) -> Json | None:
        """POST interactions/{id}/{token}/callback."""
        used = self._interactions.with_token(call.args["token"])
        now = self._place.world.clock()
        if (
            used is None
            or used.id != call.args["interaction_id"]
            or (used.callback is None and now - used.at > self._place.pace.callback_s)
        ):
            raise Refused(10062)
        if used.callback is not None:
            raise Refused(40060)
        kind = call.body.get("type")
        self._check_kind(used, kind)
        form = Form()
        data = form.mapping("data", call.body.get("data"))
        form.settle()
        shown = self._first_response(used, int(kind or 0), data, call)
        used.callback = int(kind or 0)
        used.answered.set()
        if call.query.get("with_response", "").lower() not in ("1", "true"):
            return None
        return self._receipt(used, shown)

    def _check_kind(self, used: Interaction, kind: object) -> None:
        fits: tuple[int, ...] = (SAY, DEFER)
        if used.kind == COMPONENT:
            fits = (SAY, DEFER, DEFER_UPDATE, UPDATE)
        elif used.kind == AUTOCOMPLETE:
            fits = (SUGGEST,)
        if kind not in fits:
            form = Form()
            known = ", ".join(map(str, fits))
            form.wrong("type", "BASE_TYPE_CHOICES", f"Value must be one of ({known}).")
            form.settle()

    def _first_response(
        self, used: Interaction, kind: int, data: Json, call: Call
    ) -> Message | None:
        if kind == SUGGEST:
            form = Form()
            listed = form.mappings("data.choices", data.get("choices"))
            form.count("data.choices", listed, _CHOICES_MAX)
            form.settle()
            used.choices = listed
            return None
        if kind == DEFER_UPDATE:
            used.original = used.source
            return None
        content = checking.content(data, call.uploads, silent_flags=messages.EPHEMERAL)
        if kind == UPDATE:
            used.original = used.source
            return posting.change(self._place, self._original(used), content)
        used.ephemeral = bool(content.flags & messages.EPHEMERAL)
        used.thinking = kind == DEFER
        if kind == SAY and content.is_empty():
            raise Refused(50006)
        said = self._say(used, content, thinking=used.thinking)
        used.original = said.id
        return said

    def _receipt(self, used: Interaction, shown: Message | None) -> Json:
        interaction: Json = {"id": used.id, "type": used.kind}
        receipt: Json = {"interaction": interaction}
        if shown is not None:
            interaction |= {
                "response_message_id": shown.id,
                "response_message_loading": used.thinking,
                "response_message_ephemeral": used.ephemeral,
            }
            message = messages.message(self._place, shown)
            receipt["resource"] = {"type": used.callback, "message": message}
        return receipt

    # Later ones

    def follow_up(self, call: Call) -> Json:
        """POST webhooks/{application}/{token}: the first one after a defer fills that in."""
        used = self._used(call)
        content = checking.content(call.body, call.uploads, silent_flags=messages.EPHEMERAL)
        if content.is_empty():
            raise Refused(50006)
        if used.thinking:
            return self._settle(used, self._original(used), content)
        said = self._say(used, content, after=used.original)
        return messages.message(self._place, said)

    def get(self, call: Call) -> Json:
        """GET one of the answers."""
        used = self._used(call)
        return messages.message(self._place, self._answer(used, call))

    def edit(self, call: Call) -> Json:
        """PATCH one of the answers."""
        used = self._used(call)
        found = self._answer(used, call)
        return self._settle(used, found, checking.content(call.body, call.uploads))

    def delete(self, call: Call) -> None:
        """DELETE one of the answers."""
        used = self._used(call)
        found = self._answer(used, call)
        used.thinking = used.thinking and found.id != used.original
        self._place.world.delete(found.channel, found.id)

    def _settle(self, used: Interaction, found: Message, content: Content) -> Json:
        first = used.thinking and found.id == used.original
        if first:
            channel = self._place.world.channels[used.channel]
            kept = posting.extra(self._place, channel, content)
            found.extra["pings"] = kept["pings"]
        changed = posting.change(self._place, found, content, mark_edited=not first)
        if first:
            used.thinking = False
        return messages.message(self._place, changed)

    def _say(
        self,
        used: Interaction,
        content: Content,
        *,
        thinking: bool = False,
        after: str | None = None,
    ) -> Message:
        place = self._place
        channel = place.world.channels[used.channel]
        # A follow-up's own flag counts; the first response's was noted by the caller.
        hidden = used.ephemeral if after is None else bool(content.flags & messages.EPHEMERAL)
        extra = posting.extra(place, channel, content) | {
            "application_id": place.application_id,
            "webhook_id": place.application_id,
        }
        extra["flags"] = (extra["flags"] & ~messages.EPHEMERAL) | (
            messages.LOADING if thinking else 0
        )
        record = interaction_record(used)
        if after is None:
            extra["type"] = messages.COMMAND if used.kind not in (COMPONENT,) else messages.REPLY
        else:
            record["original_response_message_id"] = after
        return place.world.say(
            channel.id,
            place.world.bot_id,
            content.text or "",
            # Discord lets the answer to a message's command refer to that message.
            reply_to=after if after is not None else used.source or used.target,
            files=posting.files(place, content.uploads),
            ephemeral_to=used.member if hidden else None,
            streaming=thinking,
            interaction=record,
            extra=extra,
        )

    def _used(self, call: Call) -> Interaction:
        token = call.args["token"]
        used = self._interactions.with_token(token)
        if call.args["application_id"] != self._place.application_id or (
            used is None and not self._interactions.was_token(token)
        ):
            raise Refused(10015)
        if used is None:
            raise Refused(50027)
        if used.callback is None:
            raise Refused(10015)
        return used

    def _original(self, used: Interaction) -> Message:
        found = self._place.world.get(used.channel, used.original or "")
        if found is None or found.deleted:
            raise Refused(10008)
        return found

    def _answer(self, used: Interaction, call: Call) -> Message:
        wanted = call.args["message_id"]
        if wanted == _ORIGINAL:
            return self._original(used)
        found = self._place.world.get(used.channel, wanted)
        if (
            found is None
            or found.deleted
            or found.interaction is None
            or found.interaction["id"] != used.id
        ):
            raise Refused(10008)
        return found
