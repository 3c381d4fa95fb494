"""What follows from what a contract says, so that no contract says it twice.

A field says what it means (`semantics`, `sign`): this adds the rule for the form of decimals and
of instruments' names. A reason is explained by its comment: this adds it as the text that user
interfaces show. Both go into the descriptors that code and docs are generated from.
Source: specification of the pipeline, section 1, decimal rules and identifiers.
"""

from typing import Any

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumValueDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorSet,
)
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

from runtime.protoc_contract import Contract

ENUM, VALUE = 5, 2  # Field numbers in FileDescriptorProto and EnumDescriptorProto.
INSTRUMENT = "^[A-Z0-9][A-Z0-9_-]{0,23}[.][A-Z0-9]{4}$"
DECIMAL = ".google.type.Decimal"
DIGITS = "(0|[1-9][0-9]{0,19})([.][0-9]{1,18})?"
UNSIGNED = f"this.value.matches('^{DIGITS}$')"
DECIMALS = {
    "SIGN_POSITIVE": (
        "decimal.positive",
        'must be a decimal above zero, such as "12.5"',
        f"{UNSIGNED} && this.value.matches('[1-9]')",
    ),
    "SIGN_NON_NEGATIVE": (
        "decimal.non_negative",
        'must be a decimal of zero or more, such as "12.5"',
        UNSIGNED,
    ),
    "SIGN_ANY": (
        "decimal.form",
        'must be a decimal without exponent, such as "-12.5"',
        f"this.value.matches('^-?{DIGITS}$') && !this.value.matches('^-[0.]+$')",
    ),
}
SIGNS = {"SEMANTICS_PRICE": "SIGN_POSITIVE", "SEMANTICS_QUANTITY": "SIGN_NON_NEGATIVE"}


def with_consequences(image: bytes) -> bytes:
    """Return a set of file descriptors in which every meaning carries what follows from it."""
    files = FileDescriptorSet.FromString(image)
    contract = Contract(files.file)
    rewriter = _Rewriter(files)
    for file in files.file:
        for message in file.message_type:
            rewriter.rewrite(message, f".{file.package}.{message.name}")
        for e, enum in enumerate(file.enum_type):
            for v, value in enumerate(enum.value):
                rewriter.explain(value, contract.comment(file, (ENUM, e, VALUE, v)))
    return files.SerializeToString(deterministic=True)


class _Rewriter:
    def __init__(self, files: FileDescriptorSet) -> None:
        pool = DescriptorPool()
        for file in files.file:
            pool.Add(file)
        self._options = _options(pool, "FieldOptions")
        self._value_options = _options(pool, "EnumValueOptions")
        try:
            self._rules: Any = pool.FindExtensionByName("buf.validate.field")
            self._meaning: Any = pool.FindExtensionByName("trading.options.v1.field")
            self._reason: Any = pool.FindExtensionByName("trading.options.v1.reason")
        except KeyError:  # Contracts without rules or options mean nothing.
            self._rules = self._meaning = self._reason = None

    def explain(self, value: EnumValueDescriptorProto, comment: str) -> None:
        options = self._value_options.FromString(value.options.SerializeToString())
        if self._reason and options.HasExtension(self._reason):
            reason = options.Extensions[self._reason]
            reason.text = reason.text or comment.replace("\n", " ")
            value.options.ParseFromString(options.SerializeToString(deterministic=True))

    def rewrite(self, message: DescriptorProto, name: str) -> None:
        maps = {f"{name}.{n.name}": n for n in message.nested_type if n.options.map_entry}
        for field in message.field if self._rules else ():
            entry = maps.get(field.type_name)
            self._add_rule(field, entry.field[1] if entry else field, is_map=entry is not None)
        for nested in message.nested_type:
            self.rewrite(nested, f"{name}.{nested.name}")

    def _add_rule(
        self, field: FieldDescriptorProto, value: FieldDescriptorProto, *, is_map: bool
    ) -> None:
        options = self._options.FromString(field.options.SerializeToString())
        semantics, sign = self._stated(options)
        is_name = value.type == value.TYPE_STRING and semantics == "SEMANTICS_INSTRUMENT"
        if value.type_name != DECIMAL and not is_name:
            return
        rules = options.Extensions[self._rules]
        if is_map:
            rules = rules.map.values
        elif field.label == FieldDescriptorProto.LABEL_REPEATED:
            rules = rules.repeated.items
        if is_name:
            rules.string.pattern = INSTRUMENT
        else:
            rule_id, message, expression = DECIMALS[sign]
            rules.cel.add(id=rule_id, message=message, expression=expression)
        field.options.ParseFromString(options.SerializeToString(deterministic=True))

    def _stated(self, options: Any) -> tuple[str, str]:
        """Return the names of what a field means, and of the signs it may have."""
        meaning = options.Extensions[self._meaning]
        enums = meaning.DESCRIPTOR.fields_by_name
        semantics: str = enums["semantics"].enum_type.values_by_number[meaning.semantics].name
        sign: str = enums["sign"].enum_type.values_by_number[meaning.sign].name
        return semantics, sign if sign in DECIMALS else SIGNS.get(semantics, "SIGN_ANY")


def _options(pool: DescriptorPool, name: str) -> Any:
    return GetMessageClass(pool.FindMessageTypeByName(f"google.protobuf.{name}"))
