"""What servers say of a run is the difference of two readings of their pages."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from runtime.load.served import Page, Served, between, read, read_texts
from runtime.measurements import BOUNDS_S, CLIENT, Measurements, Series
from runtime.observe.prometheus import Instance, PrometheusMetrics
from runtime.observe.red import calls_of

SUBMIT = "/trading.orders.v1.OrderService/SubmitOrder"
LABEL = "OrderService/SubmitOrder"
SERVER_NAME = "orders.test.plimsoll"


class Server:
    """A process with metrics like those of the platform."""

    def __init__(self, name: str = "orders", side: str = "server") -> None:
        self.measurements = Measurements(side)
        self._metrics = PrometheusMetrics(Instance(name, name, "0.1.0", "test"))
        self._metrics.add_reader(calls_of(self.measurements))

    def ended(self, duration_s: float, code: str = "OK", path: str = SUBMIT) -> None:
        calls = self.measurements.methods.setdefault(path, self.measurements.of(path))
        calls.by_code.setdefault(code, Series()).add(duration_s)

    def text(self) -> str:
        return self._metrics.handler()[1].decode()


def test_only_what_ended_between_two_readings_counts() -> None:
    server = Server()
    server.ended(30.0)
    before = read_texts([server.text()])
    for duration_s in (0.002, 0.002, 0.3):
        server.ended(duration_s)
    server.ended(0.0, "UNAVAILABLE")
    served = between(before, read_texts([server.text()]))
    spread = served.methods[LABEL]
    assert spread.count == 4
    assert spread.failed == 1
    assert spread.bounds_s == (*BOUNDS_S, float("inf"))
    assert spread.at_most_s(0.75) == 0.0025
    assert spread.at_most_s(0.99) == 0.5


def test_processes_that_serve_one_method_are_added_up() -> None:
    servers = [Server("orders-LH"), Server("orders-RH")]
    before = read_texts(server.text() for server in servers)
    for server in servers:
        server.ended(0.01)
    served = between(before, read_texts(server.text() for server in servers))
    assert served.methods[LABEL].count == 2
    assert set(served.processes) == {"orders-LH", "orders-RH"}
    assert all(use.rss_bytes > 1_000_000 for use in served.processes.values())


def test_a_process_is_told_what_it_used_meanwhile_only() -> None:
    server = Server()
    before = read_texts([server.text()])
    served = between(before, read_texts([server.text()]))
    assert 0 <= served.cpu_s < 1.0  # This test's process has used more than that by itself.
    key = ("process_cpu_seconds_total", "orders")
    assert before[key] > served.cpu_s


def test_calls_that_a_server_makes_are_not_calls_that_it_serves() -> None:
    server = Server(side=CLIENT)
    server.ended(0.01)
    assert not between({}, read_texts([server.text()])).methods


def test_what_nobody_called_meanwhile_is_left_out() -> None:
    server = Server()
    server.ended(0.01)
    reading = read_texts([server.text()])
    assert not between(reading, reading).methods


def test_what_was_served_survives_json() -> None:
    server = Server()
    server.ended(0.01)
    served = between({}, read_texts([server.text()]))
    assert Served.from_object(served.to_object()) == served


class Handler(BaseHTTPRequestHandler):
    """Shows a page of metrics, and nothing else."""

    def do_GET(self) -> None:
        server = Server("far")
        server.ended(0.01)
        found = self.path == "/metrics"
        self.send_response(200 if found else 404)
        self.end_headers()
        self.wfile.write(server.text().encode() if found else b"")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def listening(context: ssl.SSLContext | None = None) -> Iterator[str]:
    """Yield the address of a server, which speaks TLS with `context`."""
    with HTTPServer(("127.0.0.1", 0), Handler) as http:
        if context is not None:
            http.socket = context.wrap_socket(http.socket, server_side=True)
        thread = Thread(target=http.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{http.server_port}"
        finally:
            http.shutdown()
            thread.join()


def contexts(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return contexts of a server and a client that show and trust one certificate."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(hours=1))
    builder = builder.not_valid_after(now + timedelta(hours=1))
    alternative = x509.SubjectAlternativeName([x509.DNSName(SERVER_NAME)])
    certificate = builder.add_extension(alternative, critical=False).sign(key, SHA256())
    path = folder / "both.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(certificate.public_bytes(Encoding.PEM) + private)
    found = []
    for protocol in (ssl.PROTOCOL_TLS_SERVER, ssl.PROTOCOL_TLS_CLIENT):
        context = ssl.SSLContext(protocol)
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_cert_chain(path)
        context.load_verify_locations(path)
        found.append(context)
    return found[0], found[1]


@pytest.mark.real_time
def test_pages_are_read_over_http() -> None:
    with listening() as at:
        assert between({}, read([Page(f"http://{at}/metrics")])).methods[LABEL].count == 1
        with pytest.raises(OSError, match="/other answers 404, must be 200"):
            read([Page(f"http://{at}/other")])


@pytest.mark.real_time
def test_pages_are_read_over_tls_from_whom_they_are_asked_of(tmp_path: Path) -> None:
    ours, theirs = contexts(tmp_path)
    with listening(ours) as at:
        page = Page(f"https://{at}/metrics", theirs, SERVER_NAME)
        assert between({}, read([page])).methods[LABEL].count == 1
        for name in ("risk.test.plimsoll", ""):
            with pytest.raises(ssl.SSLCertVerificationError):
                read([replace(page, server_name=name)])
    with pytest.raises(ValueError, match="is https: give the context"):
        read([replace(page, context=None)])
