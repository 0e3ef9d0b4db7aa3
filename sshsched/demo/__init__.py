"""`sshsched demo`: embedded ssh hosts, jobs for them, and a show of what happens to runs. Rule: needs no set-up."""

from pathlib import Path


def jobs_folder() -> Path:
    """The demo's job files: inside the package once it is installed, at the top of a checkout."""
    inside = Path(__file__).parent / "jobs"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "jobs"
