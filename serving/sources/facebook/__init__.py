"""Facebook's part of Meta's Graph API."""
