"""Certificates for tests of TLS, made once: an authority, who it signed, and another one that nobody trusts."""

from __future__ import annotations

import subprocess
from pathlib import Path

KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]


def make(directory: Path) -> Path:
    """ca.pem; server.pem for localhost and 127.0.0.1, client.pem; other.pem, an authority that signed neither.

    Each with its .key; locked.key is the server's under the password "secret".
    """
    for name in ("ca", "other"):
        openssl(directory, "req", "-x509", *KEY, "-nodes", "-days", "2", "-subj", f"/CN={name}", "-addext",
                "keyUsage=critical,keyCertSign,cRLSign", "-keyout", f"{name}.key", "-out", f"{name}.pem")  # fmt: skip
    (directory / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    for name in ("server", "client"):
        openssl(directory, "req", *KEY, "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key",
                "-out", f"{name}.csr")  # fmt: skip
        openssl(directory, "x509", "-req", "-days", "2", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                "-CAcreateserial", "-extfile", "names", "-out", f"{name}.pem")  # fmt: skip
    openssl(directory, "ec", "-in", "server.key", "-aes128", "-passout", "pass:secret", "-out", "locked.key")
    return directory


def openssl(directory: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=directory, check=True, capture_output=True)
