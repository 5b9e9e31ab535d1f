"""What a caller passes, made into a `Request`.

Checked at the border, before any quota is spent: a typo is an error and not a silent default, and
what no provider could read is never sent to one.
"""

from freelm_integrations.request.request import (
    Messages,
    checked_observer,
    make_request,
    names_of,
)

__all__ = ["Messages", "checked_observer", "make_request", "names_of"]
