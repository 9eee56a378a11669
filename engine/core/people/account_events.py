"""The words for what is done to accounts, posts and absences.

The people concerned are told, and so is the office above them (`engine.store.people.account_events`).
`notice_words` has the words of these notices. The administrator's page shows by whom and when beside the words.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.core.words import Label

By = int | str | None
"""Who does an act: the id of a person, or who sits at the command line, as the machine names them."""

MADE, SHUT, OPENED = "account_made", "account_shut", "account_opened"
PASSWORD, CODE, CHOSEN = "password_reset", "code_made", "password_changed"
KEY_ADDED, KEY_REMOVED = "passkey_added", "passkey_removed"
APPOINTED, ENDED, MOVED = "appointed", "post_ended", "post_moved"
AWAY, BACK = "absence_entered", "absence_ended"  # about the absent person; names the stand-in
STANDS_IN, STOOD_IN = "stands_in", "stood_in"  # about the stand-in; names the absent person

WORDS: Mapping[str, Label] = {
    MADE: Label("Tạo tài khoản", "Made the account"),
    SHUT: Label("Khóa tài khoản", "Shut the account"),
    OPENED: Label("Mở lại tài khoản", "Opened the account again"),
    PASSWORD: Label("Cấp mật khẩu mới dùng một lần", "Gave a new one-time password"),
    CODE: Label("Tạo mã đăng nhập một lần", "Made a code to sign in with"),
    CHOSEN: Label("Đổi mật khẩu", "Changed the password"),
    KEY_ADDED: Label("Thêm khóa truy cập", "Added a passkey"),
    KEY_REMOVED: Label("Gỡ khóa truy cập", "Removed a passkey"),
    APPOINTED: Label("Giao vị trí", "Appointed to a post"),
    ENDED: Label("Kết thúc vị trí", "Let a post end"),
    MOVED: Label("Chuyển vị trí theo sáp nhập", "Moved a post along with its unit"),
    AWAY: Label("Ghi đợt vắng", "Entered an absence"),
    BACK: Label("Kết thúc đợt vắng", "Ended an absence"),
    STANDS_IN: Label("Giao làm thay", "Let them stand in"),
    STOOD_IN: Label("Thôi làm thay", "Let standing in end"),
}
# What the person concerned is told: they may not know of the act, or may have to say that they did not ask for it.
OWN: Mapping[str, Label] = {
    MADE: Label("Tài khoản của anh/chị đã được tạo", "Your account was made"),
    SHUT: Label("Tài khoản của anh/chị đã bị khóa", "Your account was shut"),
    OPENED: Label("Tài khoản của anh/chị đã được mở lại", "Your account was opened again"),
    PASSWORD: Label("Tài khoản của anh/chị được cấp mật khẩu mới", "Your account was given a new password"),
    CODE: Label("Có mã đăng nhập mới cho tài khoản của anh/chị", "A code to sign in to your account was made"),
    CHOSEN: Label("Mật khẩu của anh/chị đã được đổi", "Your password was changed"),
    KEY_ADDED: Label("Tài khoản của anh/chị có thêm khóa truy cập", "A passkey was added to your account"),
    KEY_REMOVED: Label("Một khóa truy cập của anh/chị đã bị gỡ", "A passkey of yours was removed"),
    APPOINTED: Label("Anh/chị được giao một vị trí", "You were appointed to a post"),
    ENDED: Label("Một vị trí của anh/chị được ghi ngày kết thúc", "A post of yours was given its last day"),
    MOVED: Label("Vị trí của anh/chị chuyển theo đơn vị sáp nhập", "Your post moved along with its unit"),
    AWAY: Label("Một đợt vắng của anh/chị đã được ghi", "An absence of yours was entered"),
    BACK: Label("Một đợt vắng của anh/chị đã kết thúc", "An absence of yours was ended"),
    STANDS_IN: Label("Anh/chị được giao làm thay", "You were asked to stand in"),
    STOOD_IN: Label("Anh/chị thôi làm thay", "You stand in no longer"),
}
# These acts give somebody access, so the person is told at once, in quiet hours too.
AT_ONCE = frozenset({OPENED, PASSWORD, CODE, CHOSEN, KEY_ADDED})
BESIDE = "beside:"  # put before the kind of an act in a notice to the office that answers for the place


def notice_words(kind: str) -> Label | None:
    """Returns the words of a notice about an act; None if the notice is about something else."""
    if not kind.startswith(BESIDE):
        return OWN.get(kind)
    words = WORDS.get(kind.removeprefix(BESIDE))
    return words and Label(f"Thay đổi tài khoản, vị trí: {words.vi}", f"A change of accounts and posts: {words.en}")
