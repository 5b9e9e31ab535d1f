"""The version, in the one place that is cheap to import (the build reads it from here)."""

VERSION = "0.1.0"
