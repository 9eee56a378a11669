"""Mail leaves by real SMTP: encrypted, signed in, one connection for many, and each refusal for what it is."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.channels import Message, NotSent, Unreachable
from engine.channels.email import EmailChannel, message_id
from engine.core.notices.settings import STARTTLS, TLS
from tests.mailbox import SENDER, Mailbox, accounts, certificate, serving
from tests.ports import free_port

MESSAGE = Message(
    "n7:email",
    "[Ra Lớp] RL-1: Quá hạn",
    "Hồ sơ: RL-1\nhttps://x.vn/cases/RL-1",
    "https://x.vn/cases/RL-1",
    dt.datetime(2026, 3, 2, 1, tzinfo=dt.UTC),
    urgent=True,
)


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with serving(Mailbox()) as mailbox:
        yield mailbox


def send(mailbox: Mailbox, *addresses: str, message: Message = MESSAGE) -> None:
    with EmailChannel(mailbox.settings).connect() as line:
        for address in addresses:
            line(address, message)


def test_a_message_arrives_in_vietnamese_with_the_id_of_its_key(mailbox: Mailbox) -> None:
    send(mailbox, "lan@example.vn")
    (mail,) = mailbox.mails
    assert mail["Subject"] == "[Ra Lớp] RL-1: Quá hạn"
    assert mail["From"] == SENDER
    assert mail["To"] == "lan@example.vn"
    assert mail.get_content().splitlines() == ["Hồ sơ: RL-1", "https://x.vn/cases/RL-1"]
    assert mail["Message-ID"] == message_id("n7:email", SENDER)
    assert mail["Date"].datetime == MESSAGE.at
    assert (mail["Auto-Submitted"], mail["Importance"]) == ("auto-generated", "high")


def test_the_same_key_gives_the_same_id_and_another_key_another() -> None:
    assert message_id("n7:email", SENDER) == message_id("n7:email", SENDER)
    assert message_id("n7:email", SENDER) != message_id("n8:email", SENDER)
    assert message_id("n7:email", SENDER).endswith("@example.vn>")


def test_many_messages_go_over_one_connection(mailbox: Mailbox) -> None:
    send(mailbox, *(f"p{n}@example.vn" for n in range(5)))
    assert (len(mailbox.mails), mailbox.connections) == (5, 1)


def test_a_server_that_hangs_up_between_two_messages_is_called_again(mailbox: Mailbox) -> None:
    with EmailChannel(mailbox.settings).connect() as line:
        line("a@example.vn", MESSAGE)
        mailbox.answers.append("421 too many messages on this line")
        with pytest.raises(NotSent, match="421") as refused:
            line("b@example.vn", MESSAGE)
        assert not refused.value.final
        line("c@example.vn", MESSAGE)
    assert [mail["To"] for mail in mailbox.mails] == ["a@example.vn", "c@example.vn"]


def test_an_address_that_does_not_exist_is_final_and_a_full_mailbox_is_not(mailbox: Mailbox) -> None:
    mailbox.refused |= {"nobody@example.vn": "550 no such user", "full@example.vn": "452 mailbox full"}
    with EmailChannel(mailbox.settings).connect() as line:
        with pytest.raises(NotSent, match="550 no such user") as nobody:
            line("nobody@example.vn", MESSAGE)
        with pytest.raises(NotSent, match="452 mailbox full") as full:
            line("full@example.vn", MESSAGE)
        line("lan@example.vn", MESSAGE)
    assert (nobody.value.final, full.value.final) == (True, False)
    assert len(mailbox.mails) == 1


def test_a_message_that_the_server_rejects_for_good_is_final(mailbox: Mailbox) -> None:
    mailbox.answers += ["554 looks like spam", "451 try later"]
    with EmailChannel(mailbox.settings).connect() as line:
        for final in (True, False):
            with pytest.raises(NotSent) as refused:
                line("lan@example.vn", MESSAGE)
            assert refused.value.final is final


def test_a_server_that_is_not_there_is_unreachable() -> None:
    mailbox = Mailbox()
    mailbox.settings = replace(mailbox.settings, port=free_port())
    with pytest.raises(Unreachable, match="no connection to the mail server"):
        send(mailbox, "lan@example.vn")


def test_no_address_can_smuggle_in_a_header(mailbox: Mailbox) -> None:
    with pytest.raises(ValueError, match="linefeed"):
        send(mailbox, "lan@example.vn\nBcc: all@example.vn")
    assert mailbox.mails == []


@pytest.mark.parametrize("security", [STARTTLS, TLS])
def test_an_encrypted_line_with_an_account(security: str, tmp_path: Path) -> None:
    trusted, context = certificate(tmp_path)
    options: dict[str, Any]
    if security == STARTTLS:
        options = {"tls_context": context, "require_starttls": True, "auth_required": True}
    else:  # aiosmtpd sees no TLS in a line that was encrypted from the first byte
        options = {"ssl_context": context, "auth_require_tls": False}
    with serving(Mailbox(), authenticator=accounts, **options) as mailbox:
        mailbox.settings = replace(
            mailbox.settings, security=security, user="ralop", password="bi mat", ca_file=str(trusted)
        )
        send(mailbox, "lan@example.vn")
        assert len(mailbox.mails) == 1
        mailbox.settings = replace(mailbox.settings, password="wrong")
        with pytest.raises(Unreachable, match="535"):
            send(mailbox, "lan@example.vn")


def test_a_certificate_that_nobody_vouches_for_is_not_trusted(tmp_path: Path) -> None:
    _trusted, context = certificate(tmp_path)
    with serving(Mailbox(), tls_context=context) as mailbox:
        mailbox.settings = replace(mailbox.settings, security=STARTTLS)
        with pytest.raises(Unreachable, match="SSLCertVerificationError"):
            send(mailbox, "lan@example.vn")
    assert mailbox.mails == []


def test_a_server_without_encryption_is_not_spoken_to_when_encryption_is_asked_for(mailbox: Mailbox) -> None:
    mailbox.settings = replace(mailbox.settings, security=STARTTLS)
    with pytest.raises(Unreachable, match="SMTPNotSupportedError"):
        send(mailbox, "lan@example.vn")
