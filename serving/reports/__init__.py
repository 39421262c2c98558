"""Digests: a day or a week of some KOLs as data.

`digest_builder` reads the store and composes a `Digest`, with `incidents` and `moods`;
`digest_scheduler` writes the digests that are due into the outbox. `serving.notify.render` puts
them into words.
"""
