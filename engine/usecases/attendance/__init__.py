"""Takes roll calls, imports files, and decides about the proposals of the risk watch."""
