"""The post as settings.toml describes it: what is turned on, what is wrong, and the one secret from outside."""

from pathlib import Path

import pytest

from engine.channels.outbox import Outbox, make_outbox
from engine.core.notices.settings import MailSettings, OutboxSettings, read_outbox
from engine.core.toml_reader import read_toml

WHOLE = """
[mail]
host = "mail.example.vn"
sender = "Ra Lớp <ralop@example.vn>"
user = "ralop"

[notices]
url = "https://ralop.example.vn/"
push_contact = "mailto:it@example.vn"

[notices.services.zalo]
url = "zalo://123:abc/{address}"
label = { vi = "Zalo", en = "Zalo" }
ask = { vi = "Mã trò chuyện", en = "Chat id" }
"""


def read(text: str, **environment: str) -> tuple[OutboxSettings, list[str]]:
    reader = read_toml(text, "settings.toml")
    settings = read_outbox(reader, environment)
    reader.close()
    return settings, [str(fault) for fault in reader.faults]


def test_without_a_word_in_the_settings_nothing_leaves_the_installation(tmp_path: Path) -> None:
    settings, faults = read("")
    assert (settings, faults) == (OutboxSettings(), [])
    assert make_outbox(settings, tmp_path) == Outbox()
    assert list(tmp_path.iterdir()) == []


def test_what_the_settings_turn_on_is_there(tmp_path: Path) -> None:
    settings, faults = read(WHOLE, RALOP_MAIL_PASSWORD="from outside")
    assert faults == []
    assert settings.mail == MailSettings(
        "mail.example.vn", "Ra Lớp <ralop@example.vn>", user="ralop", password="from outside"
    )
    post = make_outbox(settings, tmp_path)
    assert (post.url, list(post.channels)) == ("https://ralop.example.vn", ["email", "push", "zalo"])
    assert post.channels["zalo"].label.vi == "Zalo"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[mail]\nsender = 'a@b.vn'", "mail.host: This is missing"),
        ("[mail]\nhost = 'x'\nsender = 'nobody'", "mail.sender: Write a name and an address"),
        ("[mail]\nhost = 'x'\nsender = 'a@b.vn'\nsecurity = 'tlss'", "There is no way of encryption “tlss”"),
        ("[mail]\nhost = 'x'\nsender = 'a@b.vn'\nprot = 1", "mail.prot: There is no key “prot”; did you mean “port”?"),
        ("[notices]\nurl = 'ralop.example.vn'", "notices.url: Write the address as people open it"),
        ("[notices]\npush_contact = 'it@example.vn'", "notices.push_contact: Write mailto: and an address"),
        ("[notices.services.email]\nurl = 'zalo://1:a/{address}'", "notices.services.email: This name is taken"),
        ("[notices.services.zalo]\nurl = 'zalo://1:a/42'", "zalo.url: The address of the person is missing"),
    ],
)
def test_what_is_wrong_is_said_with_its_key(text: str, fault: str) -> None:
    assert any(fault in found for found in read(text)[1])


@pytest.mark.parametrize(("security", "port"), [("starttls", 587), ("tls", 465), ("none", 25)])
def test_each_way_of_encryption_has_its_port(security: str, port: int) -> None:
    settings, _ = read(f"[mail]\nhost = 'x'\nsender = 'a@b.vn'\nsecurity = '{security}'")
    assert settings.mail is not None
    assert settings.mail.port == port
