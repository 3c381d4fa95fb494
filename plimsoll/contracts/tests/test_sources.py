"""The sources of the contracts: comments everywhere, one format, true copies of what is foreign."""

from collections.abc import Iterator

import pytest
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto
from google.type import decimal_pb2
from protovalidate._gen.buf.validate import validate_pb

from plimsoll.contracts.tools import buf
from runtime.protoc_contract import Contract


def test_everything_has_a_comment(contract: Contract) -> None:
    bare = [
        f"{file.name} {path}"
        for file in contract.files.values()
        if file.package.startswith("trading.")
        for path in commentable(file)
        if len(contract.comment(file, path)) < 4
    ]
    assert bare == []


def commentable(file: FileDescriptorProto) -> Iterator[tuple[int, ...]]:
    for m, message in enumerate(file.message_type):
        yield (4, m)
        yield from ((4, m, 2, f) for f in range(len(message.field)))
    for e, enum in enumerate(file.enum_type):
        yield (5, e)
        yield from ((5, e, 2, v) for v in range(len(enum.value)))
    for s, service in enumerate(file.service):
        yield (6, s)
        yield from ((6, s, 2, m) for m in range(len(service.method)))


@pytest.mark.parametrize("file", ["buf/validate/validate.proto", "google/type/decimal.proto"])
def test_vendored_files_say_what_the_installed_packages_say(contract: Contract, file: str) -> None:
    """The rules that are checked are those of the installed validator, not of our copy."""
    assert bare(contract.files[file]) == bare(installed()[file])


def installed() -> dict[str, FileDescriptorProto]:
    raw = (validate_pb.desc().proto.to_binary(), decimal_pb2.DESCRIPTOR.serialized_pb)
    return {file.name: file for file in map(FileDescriptorProto.FromString, raw)}


def bare(file: FileDescriptorProto) -> FileDescriptorProto:
    """Return the file without what differs by compiler alone."""
    copy = FileDescriptorProto.FromString(file.SerializeToString())
    copy.DiscardUnknownFields()
    copy.ClearField("source_code_info")
    for message in copy.message_type:
        strip_json_names(message)
    for extension in copy.extension:
        extension.ClearField("json_name")
    return copy


def strip_json_names(message: DescriptorProto) -> None:
    for field in (*message.field, *message.extension):
        field.ClearField("json_name")
    for nested in message.nested_type:
        strip_json_names(nested)


def test_the_house_rules_of_buf_hold() -> None:
    assert buf("lint") == ""


def test_the_format_holds() -> None:
    assert buf("format", "contracts/proto", "--diff", "--exit-code") == ""
