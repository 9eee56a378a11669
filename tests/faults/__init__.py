"""What must not be lost, and must not happen twice, whatever is killed. Short in `make test`, long in `make faults`."""

import os

FULL = os.environ.get("RALOP_FAULTS") == "full"
