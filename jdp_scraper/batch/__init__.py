"""Many tasks at once: worker processes with limits, and windows that never wait for their slowest."""
