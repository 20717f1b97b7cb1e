"""The clients that are measured: each is a process of its own that fetches the same vehicles' reports."""
