"""Who comes in: sign-in, second factor, open sessions, ProConnect. What they may then do is said elsewhere."""
