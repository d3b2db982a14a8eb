"""The window of the chat, as a shop's page loads it."""
