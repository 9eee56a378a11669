"""The pages of Ra Lớp."""
