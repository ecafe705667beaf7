"""What waits to be answered: one mailbox a conversation, and which conversation a message is in."""

from __future__ import annotations

from collections.abc import Sequence

from bot.conversations import Conversation
from bot.errors import MailboxFull
from bot.messages import Command, IncomingMessage, Mail, Place
from bot.ports import Lease, Parked
from bot.store.keys import key, shard_of
from bot.store.records import channel_id, decode_mail, encode_mail, kept_at
from bot.store.server import Server, number_in, records_in


class Mailboxes(Server):
    """The mailboxes."""

    async def accept(
        self,
        message: IncomingMessage,
        *,
        conversation: Conversation | None,
        waiting: int,
        may_follow: bool = False,
    ) -> bool:
        """Log a message once; if it is for Jay, put it in the mailbox and wake a worker.

        A message that was deleted before it came counts as accepted before.
        What was edited since it was logged waits as it reads now.
        """
        to = conversation.key if conversation else ""
        goes_on = conversation.thread if conversation else ""
        shard, follows = shard_of(channel_id(message.place)), int(may_follow)
        mail = encode_mail(message)
        accepted = number_in(await self._run(shard, "accept", to, waiting, goes_on, follows, *mail))
        if accepted < 0:
            raise MailboxFull(f"{to} has {waiting} messages waiting")
        return accepted == 1

    async def accept_command(self, command: Command, *, conversation: Conversation) -> bool:
        """Put a command in the mailbox once and wake a worker; False if seen before.

        One about a message that was deleted before has no text.
        """
        of, mail = conversation.key, encode_mail(command)
        answer = await self._run(shard_of(of), "accept_command", of, *mail, command.about)
        return number_in(answer) == 1

    async def mail(self, lease: Lease) -> Sequence[Mail]:
        """Return the mail that waits, in the order in which it was sent."""
        of = lease.conversation.key
        records = await self._run(shard_of(of), "mail", of, lease.fence)
        mail = [decode_mail(record) for record in records_in(records)]
        return sorted(mail, key=lambda one: (one.sent_at, one.message_id))

    async def park(self, lease: Lease, *, message_ids: Sequence[str]) -> None:
        """Put mail aside for an operator, and drop the open reply, all at once."""
        of = lease.conversation.key
        await self._run(shard_of(of), "park", of, lease.fence, *message_ids)

    async def parked(self) -> Sequence[Parked]:
        """Return what was put aside, oldest first."""
        answers = await self._run_everywhere("parked")
        found = [
            Parked(
                conversation=Conversation.parse(field.decode().partition("\n")[0]),
                mail=decode_mail(record),
                at=kept_at(record),
            )
            for answer in map(records_in, answers)
            for field, record in zip(answer[::2], answer[1::2], strict=True)
        ]
        return sorted(found, key=lambda one: (one.at, one.id))

    async def take_up(self, parked: Parked) -> bool:
        """Put parked mail back into its mailbox and wake a worker; False if it is not there."""
        of, message_id = parked.conversation.key, parked.mail.message_id
        return number_in(await self._run(shard_of(of), "take_up", of, message_id)) == 1

    async def conversation_at(self, place: Place, message_id: str) -> Conversation | None:
        """Return the conversation that a stored or posted message belongs to, if any."""
        of = f"{channel_id(place)}:{message_id}"
        mark = await self._ask(shard_of(of), "GET", key("mark", of))
        if not isinstance(mark, bytes) or b":" not in mark:
            return None
        return Conversation.parse(mark.decode())

    async def takes_part(self, conversation: Conversation) -> bool:
        """Tell whether Jay has mail, turns or a reply in this conversation."""
        of = conversation.key
        return number_in(await self._run(shard_of(of), "takes_part", of)) > 0
