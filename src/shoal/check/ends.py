"""When versions of engines and services of clouds end, by those who make them. Pure.

Looked up in November 2026. Sources: postgresql.org/support/versioning; mongodb.com/legal/support-policy/lifecycles;
github.com/redis/redis/security; valkey.io/topics/releases; docs.nats.io/release-notes; the release information of
RabbitMQ; Oracle's lifetime support of MySQL; mariadb.org/about; opensearch.org/releases; elastic.co/support/eol; the
announcements of the clouds. NATS and Kafka name no day: of NATS the latest two are mended, of Kafka the latest three,
so a version ends when the next but one, or the next but two, is there.
"""

import datetime as dt
from collections.abc import Mapping

_DAYS: Mapping[str, Mapping[str, tuple[int, int, int]]] = {
    "postgres": {
        "9.4": (2020, 2, 13), "9.5": (2021, 2, 11), "9.6": (2021, 11, 11), "10": (2022, 11, 10),
        "11": (2023, 11, 9), "12": (2024, 11, 21), "13": (2025, 11, 13), "14": (2026, 11, 12),
        "15": (2027, 11, 11), "16": (2028, 11, 9), "17": (2029, 11, 8), "18": (2030, 11, 14),
    },
    "mongo": {
        "3.2": (2018, 9, 30), "3.4": (2020, 1, 31), "3.6": (2021, 4, 30), "4.0": (2022, 4, 30), "4.2": (2023, 4, 30),
        "4.4": (2024, 2, 29), "5.0": (2024, 10, 31),
        "6.0": (2025, 7, 31), "7.0": (2027, 8, 31), "8.0": (2029, 10, 31), "8.2": (2026, 7, 31),
    },
    "redis": {
        "3": (2018, 10, 17), "4": (2020, 4, 30), "5": (2022, 4, 27),
        "6.0": (2023, 9, 5), "7.0": (2024, 7, 29), "8.0": (2026, 2, 11),
    },
    "valkey": {
        "7.2": (2029, 4, 16), "8.0": (2027, 9, 15), "8.1": (2030, 3, 31), "9.0": (2028, 10, 21),
    },
    "nats": {
        "2.9": (2025, 3, 19), "2.10": (2025, 9, 22), "2.11": (2026, 4, 30), "2.12": (2026, 9, 19),
    },
    "kafka": {
        "3.0": (2022, 10, 3), "3.1": (2023, 2, 7), "3.2": (2023, 6, 15), "3.3": (2023, 10, 10), "3.4": (2024, 2, 27),
        "3.5": (2024, 7, 29), "3.6": (2024, 11, 6), "3.7": (2025, 3, 18), "3.8": (2025, 9, 4),
    },
    "rabbitmq": {
        "3.8": (2022, 7, 31), "3.9": (2023, 1, 31), "3.10": (2023, 7, 31), "3.11": (2023, 12, 31),
        "3.12": (2024, 6, 30), "3.13": (2024, 9, 17), "4.0": (2025, 4, 15), "4.1": (2026, 1, 30),
    },
    "mysql": {
        "5.5": (2018, 12, 31), "5.6": (2021, 2, 28), "5.7": (2023, 10, 31), "8.0": (2026, 4, 30),
    },
    "mariadb": {
        "10.2": (2022, 5, 23), "10.3": (2023, 5, 25), "10.4": (2024, 6, 18), "10.5": (2025, 6, 24),
        "10.6": (2026, 7, 6), "10.11": (2028, 2, 16),
    },
    "opensearch": {"1": (2025, 5, 6)},
    "elasticsearch": {"6": (2022, 2, 10), "7": (2026, 1, 15)},
}  # fmt: skip

ENGINES: Mapping[tuple[str, str], dt.date] = {
    (engine, version): dt.date(*end) for engine, versions in _DAYS.items() for version, end in versions.items()
}
"""Engine and version → the last day on which mistakes in it are mended."""

SERVICES: Mapping[str, tuple[str, dt.date, str]] = {
    "app-mesh": ("AWS App Mesh", dt.date(2026, 9, 30), "istio, linkerd, or ECS Service Connect"),
    "container-registry": ("Google Container Registry", dt.date(2025, 3, 18), "Artifact Registry"),
}
"""What a setting or a file calls it → name, the day on which it ends, and what takes its place."""
