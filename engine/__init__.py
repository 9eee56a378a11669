"""The core of Ra Lớp: workflow, rules, calendar, responsibility and ledger. It knows no web framework."""
