"""What the service answers, as frozen records; docs/openapi.json describes every field.

Times are aware. Fields that a record does not know are ignored, so that an older client reads a
newer service.
"""
