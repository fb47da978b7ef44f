"""What all tests share. Property tests try the same examples at every run, so that a run means the same everywhere;
`HYPOTHESIS_PROFILE=explore pytest` tries new ones, many more of them.
"""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None, max_examples=1000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))
