import pytest
from trading.portfolio.v1 import portfolio_pb2 as pb

from runtime.paging import ForeignToken, place_of, token_of

QUERY = pb.ListPositionsRequest(account="A", page_size=2)


def test_a_token_leads_back_to_its_place_whatever_the_page_size() -> None:
    token = token_of(QUERY, "BETA.XSIM")
    again = pb.ListPositionsRequest(account="A", page_size=7, page_token=token)
    assert place_of(again, token) == "BETA.XSIM"


def test_no_token_is_the_first_page() -> None:
    assert place_of(QUERY, "") == ""


@pytest.mark.parametrize("token", ["nonsense", "0123456789abcdef.BETA.XSIM"])
def test_a_made_up_token_is_refused(token: str) -> None:
    with pytest.raises(ForeignToken, match="another query"):
        place_of(QUERY, token)


def test_a_token_of_another_query_is_refused() -> None:
    with pytest.raises(ForeignToken):
        place_of(pb.ListPositionsRequest(account="B"), token_of(QUERY, "BETA.XSIM"))
