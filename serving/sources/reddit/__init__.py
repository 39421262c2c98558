"""Reddit: its tokens and limits, and its listings."""
