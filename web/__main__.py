"""`python -m web` is `ralop`."""

from web.cli.main import main

if __name__ == "__main__":
    main()
