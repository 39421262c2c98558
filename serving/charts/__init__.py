"""Pictures of what happened, drawn on the server.

`mood_chart.py` is what a chart shows, `drawing.py` makes it a PNG, `studio.py` fills it from the
store and sees to it that one is drawn at a time.
"""
