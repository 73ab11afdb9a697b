"""Actions of others that the pipelines use, each by the commit that its version was when it was looked at."""

PINS = {
    "actions/checkout": ("11bd71901bbe5b1630ceea73d27597364c9af683", "v4.2.2"),
    "actions/setup-python": ("a26af69be951a213d495a4c3e4e4022e16d87065", "v5.6.0"),
    "actions/upload-artifact": ("ea165f8d65b6e75b540449e92b4886f43607fa02", "v4.6.2"),
    "actions/download-artifact": ("d3f86a106a0bac45b974a628896c90dbdf5c8093", "v4.3.0"),
    "anchore/sbom-action/download-syft": ("e22c389904149dbc22b58101806040fa8d37a610", "v0.24.0"),
    "sigstore/cosign-installer": ("d58896d6a1865668819e1d91763c7751a165e159", "v3.9.2"),
}
"""Action → commit, and the version that it is. A tag can be moved to other code, a commit cannot."""


def pinned(text: str) -> str:
    """Write every ``uses: @NAME`` with its commit, and the version as a comment, which update tools read."""
    for action, (commit, version) in PINS.items():
        text = text.replace(f"uses: @{action}\n", f"uses: {action}@{commit} # {version}\n")
    return text
