"""TLS: the wheel's server has none, so a real TLS end stands before it and hands bytes through."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fakes.talk import message
from fakes.valkey import RunningValkey
from redis.asyncio.connection import SSLConnection

from bot.errors import SettingsError, StoreUnreachable
from bot.store import open_store
from bot.store.addresses import parse_address
from bot.store.topology import Cluster, open_topology

pytestmark = pytest.mark.valkey

BOUNDS = {"retention_days": 90, "max_turns": 50, "max_log": 1000}


def make_certificate(folder: Path) -> Path:
    """Write a certificate that signs itself, with its key; returns the file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "valkey.test")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain
    )
    path = folder / "ca.pem"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(private)
    return path


@asynccontextmanager
async def tls_before(server: RunningValkey, certificate: Path) -> AsyncIterator[int]:
    """Listen with TLS and hand everything on to the server; gives the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.parent / "key.pem")

    async def hand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind = await asyncio.open_unix_connection(server.url.removeprefix("unix://"))
        await asyncio.gather(hand_on(reader, behind[1]), hand_on(behind[0], writer))

    listening = await asyncio.start_server(meet, "127.0.0.1", 0, ssl=context)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()


async def test_a_store_behind_tls_is_reached_with_its_authority(
    empty_valkey: RunningValkey, tmp_path: Path
) -> None:
    authority = make_certificate(tmp_path)
    async with tls_before(empty_valkey, authority) as port:
        url = f"rediss://127.0.0.1:{port}/0?ssl_ca_certs={authority}"
        async with open_store(url, **BOUNDS) as store:
            assert await store.accept(message("hello"), conversation=None, waiting=5)
            assert await store.claim(worker="w", lease_s=5.0, wait_s=0.01) is None


async def test_a_certificate_that_nobody_vouches_for_is_refused(
    empty_valkey: RunningValkey, tmp_path: Path
) -> None:
    """Whoever sits between would read every message."""
    async with tls_before(empty_valkey, make_certificate(tmp_path)) as port:
        with pytest.raises(StoreUnreachable, match="certificate"):
            async with open_store(f"rediss://127.0.0.1:{port}/0", **BOUNDS):
                pass


async def test_an_authority_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="ssl_ca_certs"):
        async with open_store(f"rediss://127.0.0.1:1/0?ssl_ca_certs={tmp_path}/no.pem", **BOUNDS):
            pass


@pytest.mark.parametrize(
    ("scheme", "path"), [("rediss", "/0"), ("rediss+sentinel", "/chat"), ("rediss+cluster", "")]
)
async def test_connections_share_one_tls_context(scheme: str, path: str) -> None:
    """Making one reads the system's authorities, and holds up every reply for a tenth of a second."""
    topology = open_topology(parse_address(f"{scheme}://db{path}"))
    try:
        client = topology.connect_to(("db", 1)) if isinstance(topology, Cluster) else None
        client = client or await topology.server_of(0)
        first, second = (client.connection_pool.make_connection() for _ in range(2))
    finally:
        await topology.close()

    assert isinstance(first, SSLConnection)
    assert first.ssl_context is second.ssl_context
