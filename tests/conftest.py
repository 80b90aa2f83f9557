"""What every test is told: a law is not broken because a busy machine took long to look."""

from hypothesis import settings

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
