"""The API of Threads, which is built like Meta's Graph API."""
