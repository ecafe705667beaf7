"""The page over a seeded sandbox: by HTTP and WebSocket, and in one Chromium for all tests."""

import shutil
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from adapters.sandbox.server import Sandbox

CHROMIUM = "/usr/bin/chromium"
PATIENCE_MS = 25_000
"""A busy machine is slow, not broken; on an idle one nothing here takes a second."""
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
COMMANDS = [
    {"command": "/summarize", "description": "Sum up this channel", "usage_hint": "[range]"},
    {"command": "/answer", "description": "Answer from it", "usage_hint": "[question]"},
]
"""As a manifest has them."""
SHORTCUTS = [
    {"name": "Summarize from here", "type": "message", "callback_id": "summarize_from_here"},
    {"name": "Explain this", "type": "message", "callback_id": "explain_this"},
    {"name": "New note", "type": "global", "callback_id": "new_note"},
]


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as made:
        yield made


@pytest.fixture
async def http(sandbox: Sandbox) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(sandbox.url) as session:
        yield session


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser():
    if not shutil.which(CHROMIUM):
        pytest.skip("Chromium is not installed (apt-get install chromium)")
    from playwright.async_api import async_playwright, expect

    expect.set_options(timeout=PATIENCE_MS)

    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        await started.close()


@pytest_asyncio.fixture(loop_scope="session")
async def seeded() -> AsyncIterator[Sandbox]:
    """A sandbox in the loop that the browser lives in."""
    async with Sandbox() as made:
        made.slack.install({"features": {"slash_commands": COMMANDS, "shortcuts": SHORTCUTS}})
        yield made


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser, seeded: Sandbox):
    """The page at its first look. What it says on the console fails the test."""
    context = await browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
    context.set_default_timeout(PATIENCE_MS)
    opened = await context.new_page()
    said: list[str] = []
    opened.on("console", lambda one: said.append(f"{one.type}: {one.text}"))
    opened.on("pageerror", lambda error: said.append(f"error: {error}"))
    await opened.goto(seeded.url, wait_until="commit")
    await opened.locator("#pane-slack .message").first.wait_for()
    await opened.locator("#pane-discord .message").first.wait_for()
    yield opened
    await context.close()
    assert said == []
