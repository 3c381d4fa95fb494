"""A contract that is fine, for tests that break one thing in it."""

from pathlib import Path

POLICY = """\
deadline: {seconds: 1}
idempotency: IDEMPOTENCY_BY_KEY
key: "request_id"
roles: [ROLE_TRADER]
load: {}
"""

PING = """\
syntax = "proto3";

package trading.ping.v1;

import "buf/validate/validate.proto";
import "trading/options/v1/options.proto";

// Answers.
service PingService {
%s}

// Asks.
message PingRequest {
  // Makes a repeat recognizable.
  string request_id = 1 [(buf.validate.field).string.min_len = 1];
  // May be left out.
  string note = 2;
  // Counts.
  int64 count = 3;
  // Several.
  repeated Part parts = 4;
  // May be left out.
  Part part = 5;
}

// A part.
message Part {
  // Its name.
  string name = 1 [(buf.validate.field).required = true];
}

// Answers.
message PingResponse {
  // The answer.
  string text = 1;
}
"""


def ping(policy: str = POLICY, *, method: str = "Ping", answer: str = "PingResponse") -> str:
    """Return one RPC of the ping contract with `policy`; an empty one states none."""
    option = f"    option (trading.options.v1.method) = {{\n{policy}}};\n" if policy else ""
    return f"  // Pings.\n  rpc {method}(PingRequest) returns ({answer}) {{\n{option}  }}\n"


def write_ping(root: Path, *methods: str) -> Path:
    """Write the ping contract into a checkout and return its file."""
    file = root / "contracts/proto/trading/ping/v1/ping.proto"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(PING % "\n".join(methods or (ping(),)))
    return file
