"""A real OpenID provider, in a process of its own, that speaks as ProConnect does: for the tests, which may spoil it."""
