"""Jay stops and starts again, with both platforms, a real Valkey and real connections."""

from __future__ import annotations

import pytest

both = pytest.mark.parametrize("platform", ["slack", "discord"])
pytestmark = [pytest.mark.valkey]
