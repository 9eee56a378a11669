"""What is done to accounts, posts and absences, in words: by whom and when stands beside it, for the administrator."""

from __future__ import annotations

from collections.abc import Mapping

from engine.words import Label

MADE, SHUT, OPENED = "account_made", "account_shut", "account_opened"
PASSWORD, CODE = "password_reset", "code_made"
APPOINTED, ENDED = "appointed", "post_ended"
AWAY, BACK = "absence_entered", "absence_ended"  # of who is away; with who stands in
STANDS_IN, STOOD_IN = "stands_in", "stood_in"  # of who stands in; with who is away

WORDS: Mapping[str, Label] = {
    MADE: Label("Tạo tài khoản", "Made the account"),
    SHUT: Label("Khóa tài khoản", "Shut the account"),
    OPENED: Label("Mở lại tài khoản", "Opened the account again"),
    PASSWORD: Label("Cấp mật khẩu mới dùng một lần", "Gave a new one-time password"),
    CODE: Label("Tạo mã đăng nhập một lần", "Made a code to sign in with"),
    APPOINTED: Label("Giao vị trí", "Appointed to a post"),
    ENDED: Label("Kết thúc vị trí", "Let a post end"),
    AWAY: Label("Ghi đợt vắng", "Entered an absence"),
    BACK: Label("Kết thúc đợt vắng", "Ended an absence"),
    STANDS_IN: Label("Giao làm thay", "Let them stand in"),
    STOOD_IN: Label("Thôi làm thay", "Let standing in end"),
}
