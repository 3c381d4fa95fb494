"""JSON is protobuf's, and what could be meant in two ways is refused."""

import pytest
from google.protobuf.struct_pb2 import Struct
from google.type.decimal_pb2 import Decimal
from trading.echo.v1 import echo_pb2 as pb
from trading.types.v1.indicator_pb2 import IndicatorSpec

from runtime.rest.codec import Unreadable, from_json, to_json


@pytest.mark.parametrize(
    "text",
    [
        '{"request_id": "r-1", "text": "a", "price": {"value": "1.25"}}',
        '{"requestId": "r-1", "text": "a", "price": {"value": "1.25"}}',
    ],
    ids=["as in the contract", "lower camel"],
)
def test_names_are_read_in_both_spellings(text: str) -> None:
    expected = pb.EchoRequest(request_id="r-1", text="a", price=Decimal(value="1.25"))
    assert from_json(pb.EchoRequest, text.encode(), is_strict=True) == expected


def test_answer_is_written_on_one_line_with_long_integers_as_text() -> None:
    answer = pb.EchoResponse(text="a\nb", sequence=2**62, price=Decimal(value="1.25"))
    assert to_json(answer) == (
        b'{"text":"a\\nb","sequence":"4611686018427387904","price":{"value":"1.25"}}'
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"text": "a", "text": "b"}', "'text' stands twice"),
        ('{"request_id": "a", "requestId": "b"}', "'request_id' stands twice"),
        ('{"limit": 5}', 'no field named "limit"'),
        ('{"text": 5}', "text"),
        ('{"price": NaN}', "NaN is not JSON"),
        ('{"price": -Infinity}', "-Infinity is not JSON"),
        ('{"text": "a"', "not JSON"),
        ('{"text": "\\ud800"}', "surrogate"),
        ("[]", "must be an object"),
        ('{"price": [ ]}', "must be an object"),
        ('{"price": ""}', "must be an object"),
        ('{"price": ["value"]}', "price"),
        ("null", "NoneType|not"),
        ("", "not JSON"),
        ('{"text": ' + "1" * 5_000 + "}", "not JSON"),
        ('{"price":' * 33 + "1" + "}" * 33, "nested deeper than 32 levels"),
        ("[" * 100_000, "nested deeper than 32 levels"),
    ],
)
def test_what_is_not_the_message_is_refused(text: str, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        from_json(pb.EchoRequest, text.encode(), is_strict=True)


def test_text_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(Unreadable, match="utf-8"):
        from_json(pb.EchoRequest, b'{"text": "\xff"}', is_strict=True)


def test_brackets_in_texts_nest_nothing() -> None:
    text = b'{"text": "' + b"[{" * 100 + b'\\"[", "request_id": "a"}'
    assert b'"a"' in to_json(from_json(pb.EchoRequest, text, is_strict=True))


def test_keys_of_maps_may_look_alike() -> None:
    spec = IndicatorSpec(parameters={"fast_period": 3, "fastPeriod": 4})
    assert from_json(IndicatorSpec, to_json(spec), is_strict=True) == spec
    struct = Struct()
    struct.update({"a_b": 1, "aB": 2})
    assert from_json(Struct, to_json(struct), is_strict=True) == struct


def test_answer_may_have_fields_that_its_reader_does_not_know() -> None:
    answer = from_json(pb.EchoResponse, b'{"text":"a","colour":"blue"}', is_strict=False)
    assert answer == pb.EchoResponse(text="a")
