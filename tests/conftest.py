"""What every test shares: the fixtures by topic, and how hard hypothesis tries."""

import os

from hypothesis import settings

pytest_plugins = ["tests.postgres_fixtures", "tests.kafka_fixtures"]

settings.register_profile("default", deadline=None, derandomize=False, print_blob=True)
settings.register_profile("ci", settings.get_profile("default"), max_examples=500)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))
