"""Imports the dashboards' builder here, where its word about a newer format is no error.

Grafana's file provider reads the classic format, which is what we generate.
"""

import warnings

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "Prefer using dashboardv2", DeprecationWarning)
    import grafana.generate  # noqa: F401
