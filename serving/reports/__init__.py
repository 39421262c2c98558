"""Digests: what befell some KOLs in a day or a week, written once and sent by e-mail.

`subscription` and `period` say when, `editor` reads the store and composes a `Digest`, `content`
puts it into the reader's words, `plain` and `html` lay it out, `digest_scheduler` sends it.
"""
