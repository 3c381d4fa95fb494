"""What load is made of: one class of traffic for each profile, and what it has to prepare.

Each is a `runtime.load.traffic.Traffic`, named by `Profile.traffic`. Its series, and its options:

- `submit:Submit`: "acknowledged", "booked". `accounts` (50); `watched_accounts` (10): those
  whose fills are timed, for whoever watched them all would be a load of his own.
- `validate:Validate`: "RiskService/ValidateOrder". `accounts` (50).
- `ticks:Ticks`: "decoded", one unit a batch of 200; streams "ticks <instrument> <subscriber>".
- `chain:Chain`: "acknowledged", "booked"; wants constant or burst arrivals. `accounts` (10).
- `mix:Mix`: several of these in one engine; `shares`, rates per second at 1x by profile name:
  {"CHAIN": 100, "SUBMIT": 50, ...}. Its series are named like "CHAIN booked".
- `single:Single`: one RPC again and again; `rpc`, its label, which is its series as well.
"""
