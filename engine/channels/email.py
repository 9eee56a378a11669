"""Sends e-mail by SMTP: one connection for the messages of a round, plain text, a Message-ID that shows a
second copy.
"""

from __future__ import annotations

import hashlib
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr

from engine.channels import Message, NotSent, Send, Unreachable
from engine.core.notices.planning import EMAIL
from engine.core.notices.settings import STARTTLS, TLS, MailSettings
from engine.core.words import Label

TIMEOUT_S = 10.0


class EmailChannel:
    """Sends to the address of the person's account, or to another one they entered."""

    name = EMAIL
    label = Label("Thư điện tử", "E-mail")
    ask = Label("Địa chỉ thư (để trống: địa chỉ của tài khoản)", "Address (empty: the one of your account)")

    def __init__(self, settings: MailSettings) -> None:
        self.settings = settings

    @contextmanager
    def connect(self) -> Iterator[Send]:
        line = _MailLine(self.settings)
        try:
            yield line.send
        finally:
            line.close()


class _MailLine:
    def __init__(self, settings: MailSettings) -> None:
        self.settings = settings
        self.smtp: smtplib.SMTP | None = None

    def send(self, address: str, message: Message) -> None:
        mail = written(message, address, self.settings.sender)
        used = self.smtp is not None
        try:
            self._send(mail)
        except smtplib.SMTPServerDisconnected as error:
            self.close()
            if not used:
                raise Unreachable("the mail server hung up") from error
            self.send(address, message)  # some servers take only a few messages on one connection

    def _send(self, mail: EmailMessage) -> None:
        smtp = self.smtp = self.smtp or self._open()
        try:
            smtp.send_message(mail)
        except smtplib.SMTPRecipientsRefused as error:
            code, words = next(iter(error.recipients.values()))
            raise NotSent(_said(code, words), final=code >= 500) from error
        except smtplib.SMTPServerDisconnected:
            raise
        except smtplib.SMTPResponseException as error:
            final = isinstance(error, smtplib.SMTPDataError) and error.smtp_code >= 500
            raise NotSent(_said(error.smtp_code, error.smtp_error), final=final) from error
        except smtplib.SMTPException as error:
            raise NotSent(type(error).__name__, final=isinstance(error, smtplib.SMTPNotSupportedError)) from error
        except OSError as error:
            self.close()
            raise Unreachable(f"the mail server does not answer: {type(error).__name__}") from error

    def _open(self) -> smtplib.SMTP:
        settings = self.settings
        try:
            trusted = ssl.create_default_context(cafile=settings.ca_file or None)
            if settings.security == TLS:
                smtp: smtplib.SMTP = smtplib.SMTP_SSL(settings.host, settings.port, timeout=TIMEOUT_S, context=trusted)
            else:
                smtp = smtplib.SMTP(settings.host, settings.port, timeout=TIMEOUT_S)
            self.smtp = smtp
            if settings.security == STARTTLS:
                smtp.starttls(context=trusted)
            if settings.user:
                smtp.login(settings.user, settings.password)
        except smtplib.SMTPResponseException as error:
            self.close()
            raise Unreachable(_said(error.smtp_code, error.smtp_error)) from error
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            raise Unreachable(f"no connection to the mail server: {type(error).__name__}") from error
        return smtp

    def close(self) -> None:
        smtp, self.smtp = self.smtp, None
        if smtp is not None:
            with suppress(smtplib.SMTPException, OSError):
                smtp.quit()
            smtp.close()


def written(message: Message, address: str, sender: str) -> EmailMessage:
    """Returns the message as mail.

    The Message-ID comes from the key, so a person who gets it twice sees that it is the same.
    """
    mail = EmailMessage()
    mail["Message-ID"] = message_id(message.key, sender)
    mail["Date"] = format_datetime(message.at)
    mail["From"] = sender
    mail["To"] = address
    mail["Subject"] = message.subject
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office replies
    if message.urgent:
        mail["Importance"] = "high"
    mail.set_content(message.body)
    return mail


def message_id(key: str, sender: str) -> str:
    """Returns the Message-ID of a key: always the same, on any machine."""
    domain = parseaddr(sender)[1].rpartition("@")[2]
    return f"<{hashlib.sha256(f'{sender} {key}'.encode()).hexdigest()[:40]}@{domain}>"


def _said(code: int, words: bytes | str) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return f"{code} {text}"[:300]
