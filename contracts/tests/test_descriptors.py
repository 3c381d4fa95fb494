"""What must hold for every contract, read from the descriptors."""

import re
from collections.abc import Iterator
from typing import Any

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
)

from runtime.protoc_contract import Contract

ACCOUNT = 8  # Semantics.
STAR = ("buf/", "google/", "trading/options/v1/", "trading/types/v1/")
MONEY_WORDS = re.compile(
    r"(^|_)(prices?|quantity|quantities|amount|notional|fees?|cash|equity|balance|cost|pnl)($|_)"
)
RATIO_SUFFIXES = ("_bp", "_bps", "_share", "_exponent")
INTEGER_UNITS = ("_ticks", "_lots", "_minor")
DECIMAL = ".google.type.Decimal"
FLOATS = {FieldDescriptorProto.TYPE_DOUBLE, FieldDescriptorProto.TYPE_FLOAT}
INTEGERS = {
    FieldDescriptorProto.TYPE_INT32,
    FieldDescriptorProto.TYPE_INT64,
    FieldDescriptorProto.TYPE_SINT64,
}


def own_files(contract: Contract) -> list[FileDescriptorProto]:
    return [file for file in contract.files.values() if file.package.startswith("trading.")]


def fields(contract: Contract) -> Iterator[tuple[str, FieldDescriptorProto]]:
    def within(name: str, message: DescriptorProto) -> Iterator[tuple[str, FieldDescriptorProto]]:
        yield from ((f"{name}.{field.name}", field) for field in message.field)
        for nested in message.nested_type:
            yield from within(f"{name}.{nested.name}", nested)

    for file in own_files(contract):
        for message in file.message_type:
            yield from within(f"{file.package}.{message.name}", message)


def is_money_float(name: str, field: FieldDescriptorProto, meaning: Any) -> bool:
    if field.type not in FLOATS or field.name.endswith(RATIO_SUFFIXES):
        return False
    return bool(MONEY_WORDS.search(field.name)) or (meaning is not None and meaning.semantics < 4)


def test_imports_form_a_star(contract: Contract) -> None:
    strays = [
        f"{file.name} imports {name}"
        for file in own_files(contract)
        for name in file.dependency
        if not name.startswith(STAR)
    ]
    assert strays == []


def test_no_money_is_float(contract: Contract) -> None:
    floats = [
        name
        for name, field in fields(contract)
        if is_money_float(name, field, contract.option(field.options, "trading.options.v1.field"))
    ]
    assert floats == []


def test_a_price_that_is_a_float_is_noticed() -> None:
    price = FieldDescriptorProto(name="limit_price", type=FieldDescriptorProto.TYPE_DOUBLE)
    ratio = FieldDescriptorProto(name="slippage_bp", type=FieldDescriptorProto.TYPE_DOUBLE)
    assert is_money_float("x", price, None)
    assert not is_money_float("x", ratio, None)


def test_every_price_states_ticks_or_decimal(contract: Contract) -> None:
    unclear = [
        name
        for name, field in fields(contract)
        if field.type in INTEGERS
        and MONEY_WORDS.search(field.name)
        and not field.name.endswith((*INTEGER_UNITS, *RATIO_SUFFIXES))
        and not (contract.option(field.options, "trading.options.v1.field") or _Unitless).unit
    ]
    assert [name for name in unclear if "_bps_" not in name] == []


class _Unitless:
    unit = ""


def test_every_decimal_states_what_it_means_and_carries_a_rule(contract: Contract) -> None:
    def is_vague(field: FieldDescriptorProto) -> bool:
        meaning = contract.option(field.options, "trading.options.v1.field")
        rules = contract.option(field.options, "buf.validate.field")
        is_checked = bool(rules.cel or rules.repeated.items.cel) if rules else False
        return meaning is None or not meaning.semantics or not is_checked

    decimals = {name: field for name, field in fields(contract) if field.type_name == DECIMAL}
    assert len(decimals) > 30
    assert [name for name, field in decimals.items() if is_vague(field)] == []


def test_every_account_a_person_may_ask_about_is_marked_for_the_guard(contract: Contract) -> None:
    unmarked = [
        f"{method.name}: {name}"
        for file in own_files(contract)
        for service in file.service
        for method in service.method
        if contract.option(method.options, "trading.options.v1.method").roles
        for name in unmarked_accounts(contract, method.input_type)
    ]
    assert unmarked == []


def unmarked_accounts(contract: Contract, message: str) -> Iterator[str]:
    for field in contract.fields_of(message).values():
        meaning = contract.option(field.options, "trading.options.v1.field")
        is_marked = meaning is not None and meaning.semantics == ACCOUNT
        if field.name in ("account", "account_id") and not is_marked:
            yield f"{message}.{field.name}"
        if field.type_name.startswith(".trading."):
            yield from unmarked_accounts(contract, field.type_name)


def test_reasons_are_explained_to_people(contract: Contract) -> None:
    (reasons,) = (
        enum
        for enum in contract.files["trading/types/v1/risk.proto"].enum_type
        if enum.name == "RiskReason"
    )
    numbers = {value.number: value for value in reasons.value}
    assert sorted(numbers) == [0, *range(1, 53), *range(60, 64)]
    for number, value in sorted(numbers.items())[1:]:
        reason = contract.option(value.options, "trading.options.v1.reason")
        assert reason.text.endswith("."), value.name
        assert reason.stage, value.name
        assert reason.since_depth == (0 if 43 <= number <= 52 else 1), value.name
