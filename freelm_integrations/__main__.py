"""`python -m freelm_integrations`: the command `freellm`."""

import sys

from freelm_integrations.cli import main

sys.exit(main())
