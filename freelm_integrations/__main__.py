"""`python -m freelm_integrations`: the command `freellm`."""

import sys

from freelm_integrations.command.cli import main

sys.exit(main())
