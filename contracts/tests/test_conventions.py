"""Watches resume, lists page, repeats are recognizable: the same way in every contract."""

from collections.abc import Iterator
from typing import Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, MethodDescriptorProto

from runtime.protoc_contract import Contract

OF_HARNESS = ("DeviceControlService", "PacerService")


def methods(contract: Contract) -> Iterator[tuple[str, MethodDescriptorProto]]:
    for file in contract.files.values():
        if file.package.startswith("trading."):
            for service in file.service:
                yield from ((f"{service.name}.{m.name}", m) for m in service.method)


def rules(contract: Contract, field: FieldDescriptorProto) -> Any:
    return contract.option(field.options, "buf.validate.field")


def test_a_watch_resumes_where_its_reader_was(contract: Contract) -> None:
    def resumes(method: MethodDescriptorProto) -> bool:
        asked = contract.fields_of(method.input_type)
        answered = contract.fields_of(method.output_type)
        return bool({"after_sequence", "after_time"} & asked.keys()) and "sequence" in answered

    watches = [(n, m) for n, m in methods(contract) if m.name.startswith("Watch")]
    assert len(watches) > 8
    assert [name for name, method in watches if not resumes(method)] == []


def test_what_streams_responses_says_so_in_its_name(contract: Contract) -> None:
    silent = [n for n, m in methods(contract) if m.server_streaming and "Watch" not in m.name]
    assert silent == ["EchoService.ExchangeEchoes"]


def test_a_list_is_read_page_by_page(contract: Contract) -> None:
    def pages(method: MethodDescriptorProto) -> bool:
        asked = contract.fields_of(method.input_type)
        answered = contract.fields_of(method.output_type)
        if not {"page_size", "page_token"} <= asked.keys() or "next_page_token" not in answered:
            return False
        size = rules(contract, asked["page_size"])
        return size is not None and 0 < size.int32.lte <= 5_000

    lists = [(n, m) for n, m in methods(contract) if m.name.startswith("List")]
    assert len(lists) > 8
    assert [name for name, method in lists if not pages(method)] == []


def test_a_request_id_is_short_and_printable(contract: Contract) -> None:
    loose = [
        name
        for name, method in methods(contract)
        for field in contract.fields_of(method.input_type).values()
        if field.name == "request_id"
        and rules(contract, field).string.pattern != "^[A-Za-z0-9_-]{1,64}$"
    ]
    assert loose == []


def test_requests_and_responses_are_named_for_their_method_and_never_shared(
    contract: Contract,
) -> None:
    for name, method in methods(contract):
        assert method.input_type.endswith(f".{method.name}Request"), name
        assert method.output_type.endswith(f".{method.name}Response"), name


def test_what_changes_something_is_idempotent_or_says_why_not(contract: Contract) -> None:
    """Only the echo contract has calls that must not be repeated: it shows how they look.

    And the harness's own, in devices that no production has: there a fault asked for twice
    would strike twice.
    """
    unrepeatable = [
        name
        for name, method in methods(contract)
        if contract.option(method.options, "trading.options.v1.method").idempotency == 3
        and name.partition(".")[0] not in OF_HARNESS
    ]
    assert unrepeatable == ["EchoService.CollectEchoes", "EchoService.ExchangeEchoes"]
