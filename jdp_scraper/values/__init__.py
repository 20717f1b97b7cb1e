"""The values that stand in reports: found, typed, and written as tables."""
