from hypothesis import given
from hypothesis import strategies as st

from runtime.identity import HEADER, Principal, as_principal, principal_of, to_header
from runtime.rpc import Call

names = st.text(min_size=1)
principals = st.builds(
    Principal,
    name=names,
    roles=st.frozensets(st.sampled_from(["TRADER", "VIEWER", "OPERATOR"])),
    service=st.text(),
)


@given(principals)
def test_principal_comes_back_from_a_call_as_it_was(principal: Principal) -> None:
    call = as_principal(Call(metadata={"x-colour": "blue"}), principal)
    assert principal_of(call) == principal
    assert call.metadata["x-colour"] == "blue"


@given(principals)
def test_header_is_printable_ascii(principal: Principal) -> None:
    header = to_header(principal)
    assert header.isascii()
    assert header.isprintable()


@given(st.text())
def test_text_that_names_nobody_is_no_principal(text: str) -> None:
    principal = principal_of(Call(metadata={HEADER: text}))
    assert principal is None or principal.name


def test_call_without_a_name_has_no_principal() -> None:
    assert principal_of(Call()) is None
    assert principal_of(Call(metadata={HEADER: "name=&roles=TRADER&service="})) is None
    assert principal_of(Call(metadata={HEADER: "name=a&name=b&roles=&service="})) is None
