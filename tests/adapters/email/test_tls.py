"""Encrypted lines: whose certificate nobody vouches for is not spoken to, and nothing switches that off."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

import pytest

from bot.adapters.email.adapter import EmailAdapter
from tests.adapters.email.mail_platform import settings_of
from tests.fakes.imap_server import FakeImap
from tests.fakes.smtp_server import FakeSmtp


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """One that vouches for itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    asked = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "36500"]
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    command += ["-nodes", "-keyout", str(key), "-out", str(cert), *asked]
    subprocess.run(command, check=True, capture_output=True)
    return cert, key


async def test_an_unknown_certificate_is_refused_and_a_known_one_is_not(
    certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both servers; an authority of one's own is added to those of the system."""
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(*map(str, certificate))
    async with FakeImap(tls=tls) as imap, FakeSmtp(tls=tls) as smtp:
        adapter = EmailAdapter("mail", settings_of(imap, smtp))
        refused = await adapter.check()
        assert [p.code for p in refused] == ["email-imap", "email-smtp"]
        assert all("сертификат" in p.text and "SSL_CERT_FILE" in p.hint for p in refused)
        assert "LOGIN" not in imap.commands and smtp.logins == 0

        monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
        assert await adapter.check() == ()
