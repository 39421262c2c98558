"""What the service answers, as frozen records. Fields that a record does not know are ignored, so
that an older client reads a newer service. Times are aware; docs/api.md describes every field.
"""
