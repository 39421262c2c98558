"""The languages of messages: one gettext catalogue a language, read as it stands.

A file `xx.po` in this folder makes the language `xx` known; docs/notifications.md says how to
write one.
"""
