"""colour-science, the reference of these tests, warns without its plotting extra; warnings are errors here."""

import os

os.environ.setdefault("COLOUR_SCIENCE__FILTER_USAGE_WARNINGS", "1")
