"""What is done to accounts and posts, in words: who did it and when stands beside it, for the administrator."""

from __future__ import annotations

from collections.abc import Mapping

from engine.words import Label

MADE, SHUT, OPENED = "account_made", "account_shut", "account_opened"
PASSWORD, CODE = "password_reset", "code_made"
APPOINTED, ENDED = "appointed", "post_ended"

WORDS: Mapping[str, Label] = {
    MADE: Label("Tạo tài khoản", "Made the account"),
    SHUT: Label("Khóa tài khoản", "Shut the account"),
    OPENED: Label("Mở lại tài khoản", "Opened the account again"),
    PASSWORD: Label("Cấp mật khẩu mới dùng một lần", "Gave a new one-time password"),
    CODE: Label("Tạo mã đăng nhập một lần", "Made a code to sign in with"),
    APPOINTED: Label("Giao vị trí", "Appointed to a post"),
    ENDED: Label("Kết thúc vị trí", "Let a post end"),
}
