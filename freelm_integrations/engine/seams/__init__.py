"""Where the answer of another route meets a text that was cut: pure functions of both."""
