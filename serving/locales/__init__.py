"""The languages of messages: one gettext catalogue per language, read without compiling.

A file `xx.po` in this folder adds the language `xx`; docs/notifications.md says how to
write one.
"""
