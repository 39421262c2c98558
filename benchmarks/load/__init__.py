"""What reads the stream and the delay of detection while others use the service.

event_reader.py      a reader of `/v1/stream` that costs little
detection_delay.py   the time from the sending of a comment to the commit of its minute
"""
