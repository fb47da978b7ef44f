"""How bytes travel: over pyreqwest, or over an httpx client that the user brings. `assay.backends.http` picks one."""
