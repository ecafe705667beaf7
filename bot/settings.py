"""Every setting, with its default, its unit and why it is so.

Read from the environment and from `jay.toml` (the environment wins). The
secrets have their conventional names; everything else is `JAY_GROUP__FIELD`,
or `field` under `[group]` in the file.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from bot.errors import SettingsError


class Group(BaseModel):
    """Settings that belong together; a name that none of them has is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _address(*schemes: str) -> AfterValidator:
    """Check an address where it is given: further in, each library says it in its own way."""

    def check(url: str) -> str:
        looks_like = f"it looks like {schemes[0]}://host/path"
        try:
            parts = urlsplit(url)
            whole = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
        except ValueError:
            whole = False
        if url and not whole:
            raise ValueError(f"no address: {looks_like}")
        return url

    return AfterValidator(check)


WebAddress = Annotated[str, _address("https", "http")]
SocketAddress = Annotated[str, _address("wss", "ws")]


class SlackSettings(Group):
    """How Jay reaches a Slack workspace. Off without a bot token."""

    bot_token: SecretStr = SecretStr("")
    """`xoxb-…`, from the app's OAuth page."""
    app_token: SecretStr = SecretStr("")
    """`xapp-…` with `connections:write`: Socket Mode. Without it, events come by HTTP."""
    signing_secret: SecretStr = SecretStr("")
    """Checks events that come by HTTP."""
    api_url: WebAddress = "https://slack.com/api/"
    sockets: int = Field(default=1, ge=1, le=10)
    """Socket Mode connections of this process; Slack allows an app ten in all."""
    events_port: int = 3000
    """Where events by HTTP are listened for, at `/slack/events`."""
    native_streams: bool = False
    """Write with `chat.startStream`; only for apps that Slack knows as agents."""


class DiscordSettings(Group):
    """How Jay reaches Discord. Off without a bot token."""

    bot_token: SecretStr = SecretStr("")
    api_url: WebAddress = "https://discord.com/api/v10"
    gateway_url: SocketAddress = "wss://gateway.discord.gg/"
    shard_count: int = Field(default=1, ge=1)
    """How many processes share the servers. Discord demands more than one from 2,500 servers on."""
    shard_id: int = Field(default=0, ge=0)
    """Which of them this one is, from 0. Direct messages come to 0."""

    @model_validator(mode="after")
    def _is_one_of_them(self) -> Self:
        if self.shard_id >= self.shard_count:
            raise ValueError(f"shard_id must be below shard_count, {self.shard_count}")
        return self


class EngineSettings(Group):
    """Which engine answers. Without a URL, Jay starts vLLM itself."""

    url: WebAddress = ""
    """An OpenAI-compatible vLLM server, with `/v1`."""
    model: str = ""
    """The served model's name; empty: the first one that the server lists."""
    api_key: SecretStr = SecretStr("")


class ReplySettings(Group):
    """How replies are made."""

    max_tokens: int = Field(default=300, ge=1)
    """The longest reply. With a 2,048-token window it leaves room for some twenty turns."""
    persona: str = (
        "The following is a conversation between people and Jay, a friendly assistant that "
        "runs on GPT-J. Jay answers briefly and says so when it does not know."
    )
    """Stands first in the prompts of families that have a place for it."""
    family: str = ""
    """The prompt family; empty: chosen by the served model's name."""
    max_message_chars: int = Field(default=6_000, ge=100)
    """Longer messages are cut there, and the person is told. About 1,500 tokens."""
    max_waiting: int = Field(default=20, ge=1)
    """The most unanswered messages of one conversation."""
    why_button: bool = True
    """Below each finished reply stands a small button that tells how it came about."""


class EngineLimits(Group):
    """How long and how much Jay waits for the engine."""

    idle_timeout_s: float = Field(default=30.0, gt=0)
    """Silence that long ends a stream. There is no limit on a stream that flows."""
    retries: int = Field(default=3, ge=0)
    """How often in a row a stream may break, without having got much further, and is taken up
    again from the tokens so far."""
    max_running: int = Field(default=64, ge=1)
    """Requests in the engine at once; more wait in Jay, where they can be told so."""
    max_waiting: int = Field(default=256, ge=0)
    """Requests that wait for their turn; beyond it people are told to come back."""
    port: int = 8100
    """Where the managed engine listens, on the loopback address."""


class StoreSettings(Group):
    """What is remembered, and for how long."""

    retention_days: int = Field(default=90, ge=1)
    """Turns and logged messages older than that are dropped."""
    max_turns: int = Field(default=400, ge=10)
    """The most turns kept of one conversation. The window holds far fewer."""
    max_log: int = Field(default=10_000, ge=100)
    """The most messages kept of one channel."""
    replicas: int = Field(default=0, ge=0)
    """Replicas that must have a write before an event is acked. A failover then loses nothing."""
    lease_s: float = Field(default=15.0, gt=1, le=300)
    """A worker that is silent that long loses its conversation to another. `claim.lua` takes a
    longer lease for the trace of a clock that was set back."""


class WorkerSettings(Group):
    """How much one worker process does at once."""

    conversations: int = Field(default=384, ge=1)
    """Conversations that are answered or wait for the engine, side by side. More than
    `limits.max_running` and `limits.max_waiting` together: whoever stands in no queue is told
    nothing."""
    grace_s: float = Field(default=20.0, ge=0)
    """On SIGTERM, replies that run may take that long to end."""
    tries: int = Field(default=5, ge=1)
    """Tries at a reply that get no further each time; then its message is parked."""


class RecoverySettings(Group):
    """What becomes of messages that were said while Jay could not hear."""

    fresh_s: float = Field(default=3_600.0, ge=0)
    """Younger ones are answered when Jay is back; people have gone on after an hour."""
    tell_stale: bool = True
    """Older ones get one line a conversation that says so; false: nothing."""
    max_messages: int = Field(default=200, ge=1, le=1_000)
    """The most read back of one channel or thread. A call of Slack's brings 200."""


class ConventionalNames(PydanticBaseSettingsSource):
    """Reads the names that every Slack, Discord, Redis and OpenAI tool uses.

    They carry no `JAY_` before them: `SLACK_BOT_TOKEN`, `REDIS_URL`, `ENGINE_URL`.
    """

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return a field's value; part of the base class's contract, unused by `__call__`."""
        return self().get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return what is set of them, grouped as `Settings` is."""
        found: dict[str, Any] = {}
        for name, fields in CONVENTIONAL.items():
            values = {
                field: value
                for field in fields
                if (value := os.environ.get(f"{name}_{field}".upper())) is not None
            }
            if values:
                found[name] = values
        if url := os.environ.get("REDIS_URL"):
            found["redis_url"] = url
        return found


CONVENTIONAL = {
    "slack": tuple(SlackSettings.model_fields),
    "discord": tuple(DiscordSettings.model_fields),
    "engine": tuple(EngineSettings.model_fields),
}


class Settings(BaseSettings):
    """All settings. `load_settings` is the way to one."""

    model_config = SettingsConfigDict(
        env_prefix="JAY_", env_nested_delimiter="__", toml_file="jay.toml", extra="forbid"
    )

    data_dir: Path = Path(".jay")
    """The embedded Valkey's data and logs of managed processes."""
    redis_url: SecretStr = SecretStr("")
    """Empty: an embedded Valkey under `data_dir`."""
    status_port: int = 8091
    """`/healthz`, `/readyz` and `/metrics`, on `status_host`. 0: any free port."""
    status_host: str = "127.0.0.1"
    skills_dir: Annotated[Path | None, BeforeValidator(lambda given: given or None)] = None
    """A folder of skills of one's own, looked at every two seconds; None: only those that ship."""
    log_json: bool = False
    log_level: str = "info"

    slack: SlackSettings = Field(default_factory=SlackSettings)
    discord: DiscordSettings = Field(default_factory=DiscordSettings)
    engine: EngineSettings = Field(default_factory=EngineSettings)
    replies: ReplySettings = Field(default_factory=ReplySettings)
    limits: EngineLimits = Field(default_factory=EngineLimits)
    store: StoreSettings = Field(default_factory=StoreSettings)
    worker: WorkerSettings = Field(default_factory=WorkerSettings)
    recovery: RecoverySettings = Field(default_factory=RecoverySettings)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put `jay.toml` below the environment."""
        conventional = ConventionalNames(settings_cls)
        return (init_settings, conventional, env_settings, TomlConfigSettingsSource(settings_cls))


def load_settings(**overrides: Any) -> Settings:
    """Read the settings.

    Raises:
        SettingsError: a value is of the wrong kind or an unknown name stands in
            `jay.toml`; the text names each field, never a value.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}"
            for item in error.errors(include_input=False)
        )
        raise SettingsError(f"The settings can't be used: {wrong}") from error
