"""The one truth under both sandbox platforms."""

import pytest

from adapters.sandbox import state
from adapters.sandbox.faults import Faults
from adapters.sandbox.ids import DISCORD_EPOCH_MS
from adapters.sandbox.world import DiscordIds, File, SlackIds, World

NOW = 1_790_000_000.5


@pytest.fixture
def world() -> World:
    made = World("slack", SlackIds(), lambda: NOW)
    made.bot_id = made.add_member("jay", "Jay", bot=True).id
    made.add_member("maya", "Maya Lindqvist")
    made.add_channel("general", members=made.members)
    return made


@pytest.fixture
def general(world: World) -> str:
    return world.channel_named("general").id


def test_messages_of_one_moment_have_ids_of_their_own_in_order(world, general):
    """Two quick messages would otherwise become one."""
    said = [world.say(general, world.bot_id, str(n)).id for n in range(3)]

    assert said == ["1790000000.500000", "1790000000.500001", "1790000000.500002"]


def test_discord_ids_tell_their_time_and_sort_by_it():
    """discord.py reads the time of a message from its id."""
    ids = DiscordIds()
    first = ids.message(at=NOW)
    second = ids.message(at=NOW, after=first)

    assert (int(first) >> 22) + DISCORD_EPOCH_MS == int(NOW * 1000)
    assert int(second) > int(first)


def test_what_is_told_into_the_past_stands_where_it_belongs(world, general):
    """A seed is written channel by channel, not minute by minute."""
    world.say(general, world.bot_id, "second", at=NOW - 10)
    world.say(general, world.bot_id, "first", at=NOW - 20)

    assert [m.text for m in world.history(general)] == ["first", "second"]


def test_history_leaves_out_replies_and_what_is_deleted(world, general):
    """A deleted message that is read back would be a breach."""
    root = world.say(general, world.bot_id, "root")
    world.say(general, world.bot_id, "reply", thread=root.id)
    world.say(general, world.bot_id, "broadcast", thread=root.id, extra={"broadcast": True})
    world.delete(general, world.say(general, world.bot_id, "gone").id)

    assert [m.text for m in world.history(general)] == ["root", "broadcast"]
    assert [m.text for m in world.history(general, thread=root.id)] == [
        "root", "reply", "broadcast",
    ]  # fmt: skip
    assert [m.text for m in world.replies(general, root.id)] == ["reply", "broadcast"]


def test_history_is_cut_at_the_end_that_is_asked_for(world, general):
    """Both platforms page, one from the newest and one from the oldest."""
    said = [world.say(general, world.bot_id, str(n)).id for n in range(5)]

    def texts(**wanted: object) -> str:
        return "".join(m.text for m in world.history(general, **wanted))

    assert texts(limit=2) == "34"
    assert texts(limit=2, oldest_first=True) == "01"
    assert texts(after=said[0], before=said[4]) == "123"
    assert texts(after=said[1], before=said[3], inclusive=True) == "123"


def test_every_change_is_told_once_with_what_was_before(world, general):
    """The page and the bots live from nothing else."""
    told = []
    stop = world.listen(told.append)
    message = world.say(general, world.bot_id, "helo")
    world.edit(general, message.id, "hello")
    world.react(general, message.id, world.bot_id, "eyes")
    world.react(general, message.id, world.bot_id, "eyes")
    world.delete(general, message.id)
    stop()
    world.say(general, world.bot_id, "unheard")

    assert [event.kind for event in told] == ["message", "edit", "reaction", "delete"]
    assert told[1].before.text == "helo"
    assert told[1].message.text == "hello"


def test_a_world_survives_being_written_down(world, general):
    """The second demo goes on where the first one ended."""
    file = File(id="F1", name="a.txt", mimetype="text/plain", size=1)
    root = world.say(general, world.bot_id, "root", files=[file], metadata={"a": 1})
    world.say(general, world.bot_id, "reply", thread=root.id)
    again = World("slack", SlackIds(), lambda: NOW)

    state.load(again, state.dump(world))

    assert state.dump(again) == state.dump(world)
    assert again.add_member("new", "New").id not in world.members
    with pytest.raises(ValueError, match="version"):
        state.load(again, {"version": 0})


def test_a_direct_conversation_is_opened_once(world):
    """Two of them would split what was said."""
    maya = world.member_named("maya").id

    assert world.open_direct(maya, world.bot_id).id == world.open_direct(world.bot_id, maya).id


def test_a_fault_hits_its_calls_and_is_over():
    """A test that ends with a fault left over would spoil the next."""
    faults = Faults()
    faults.rate_limit("slack", "chat.*", retry_after_s=3, times=2)

    assert faults.take("discord", "chat.update") is None
    assert faults.take("slack", "auth.test") is None
    assert faults.take("slack", "chat.update").retry_after_s == 3
    assert faults.take("slack", "chat.postMessage").status == 429
    assert faults.take("slack", "chat.update") is None


def test_switches_and_signals_reach_only_their_platform():
    """Both platforms share one set of faults."""
    faults, heard = Faults(), []
    stop = faults.on_signal("slack", lambda name, details: heard.append((name, details)))
    faults.turn("slack", "token_revoked")
    faults.signal("slack", "disconnect", reason="warning")
    faults.signal("discord", "drop_sockets")
    stop()
    faults.signal("slack", "drop_sockets")

    assert heard == [("disconnect", {"reason": "warning"})]
    assert faults.is_on("slack", "token_revoked")
    assert not faults.is_on("discord", "token_revoked")
    faults.clear()
    assert not faults.is_on("slack", "token_revoked")
