"""Pages for people, made on the server, without scripts.

`alert_page.py` is what the page of an alert says, `looks.py` lays it out as HTML, `pages.py`
answers requests, `forms.py` reads what people send and turns away what strangers' pages send.
"""
