import pytest
from google.protobuf.message import Message

from runtime.errors import ServiceError
from runtime.single import Answer, Only, one
from runtime.tests.echoing import asked


async def answering() -> Message:
    return asked("answer")


async def test_only_is_a_stream_of_one_message() -> None:
    assert [m async for m in Only(asked("a"))] == [asked("a")]


async def test_answer_is_a_stream_of_one_message() -> None:
    assert [m async for m in Answer(answering())] == [asked("answer")]


async def test_one_takes_the_short_way_and_the_long() -> None:
    assert await one(Only(asked("a"))) == asked("a")
    assert await one(Answer(answering())) == asked("answer")
    assert await one(m async for m in Only(asked("a"))) == asked("a")


async def test_one_of_none_is_an_error() -> None:
    spent = Only(asked("a"))
    await anext(spent)
    with pytest.raises(ServiceError, match="must hold one message"):
        await one(m async for m in spent)


async def test_answer_nobody_waits_for_is_closed_without_a_trace() -> None:
    answer = Answer(answering())
    await answer.aclose()
    await answer.aclose()
    assert [m async for m in answer] == []


async def test_answer_ended_with_an_error_raises_it() -> None:
    with pytest.raises(KeyError):
        await Answer(answering()).athrow(KeyError("x"))
