"""Rules on households' labels: pure functions on plain values and dates, each citing its article."""
