"""Instagram's part of Meta's Graph API."""
