"""Fuzzing of the readers of files: `python -m tests.fuzz --minutes 60`, or `make fuzz MINUTES=60`.

Coverage-guided by atheris (`pip install -e '.[fuzz]'`). `readers` says what is given to the readers and what must hold;
`one` runs one reader in a process of its own; `__main__` shares the time out and tells what was found.
"""
