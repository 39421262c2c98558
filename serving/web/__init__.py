"""Pages for people, made on the server, without scripts.

`alert_page.py` holds the content of an alert's page, `templates.py` renders it as HTML, `pages.py`
answers requests, `forms.py` reads forms.
"""
