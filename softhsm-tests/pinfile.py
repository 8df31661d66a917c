"""PIN files."""

from softhsm import PIN


def write_pin(path, text=f"{PIN}\n", mode=0o600):
    """Writes a PIN file; gives its path as a pin-source."""
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return f"file:{path}"
