"""When versions of engines and services of clouds end, by those who make them. Pure.

Looked up in November 2026. Sources: postgresql.org/support/versioning; mongodb.com/legal/support-policy/lifecycles;
the pages of Redis and Valkey about releases; kubernetes.io/releases; the announcements of the clouds.
"""

import datetime as dt
from collections.abc import Mapping

ENGINES: Mapping[tuple[str, str], dt.date] = {
    **{("postgres", version): dt.date(*end) for version, end in {
        "11": (2023, 11, 9), "12": (2024, 11, 21), "13": (2025, 11, 13), "14": (2026, 11, 12),
        "15": (2027, 11, 11), "16": (2028, 11, 9), "17": (2029, 11, 8), "18": (2030, 11, 14),
    }.items()},
    **{("mongo", version): dt.date(*end) for version, end in {
        "4.2": (2023, 4, 30), "4.4": (2024, 2, 29), "5.0": (2024, 10, 31), "6.0": (2025, 7, 31),
        "7.0": (2027, 8, 31), "8.0": (2029, 10, 31),
    }.items()},
    **{("redis", version): dt.date(*end) for version, end in {
        "5": (2022, 4, 27), "6.0": (2023, 9, 5), "7.0": (2024, 7, 29),
    }.items()},
    **{("mysql", version): dt.date(*end) for version, end in {
        "5.7": (2023, 10, 31), "8.0": (2026, 4, 30),
    }.items()},
}  # fmt: skip
"""Engine and version → the last day on which mistakes in it are mended."""

SERVICES: Mapping[str, tuple[str, dt.date, str]] = {
    "app-mesh": ("AWS App Mesh", dt.date(2026, 9, 30), "istio, linkerd, or ECS Service Connect"),
    "container-registry": ("Google Container Registry", dt.date(2025, 3, 18), "Artifact Registry"),
}
"""What a setting or a file calls it → name, the day on which it ends, and what takes its place."""
