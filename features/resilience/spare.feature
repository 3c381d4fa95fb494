Feature: Spare a silent service

  Background:
    Given a client of orders whose breaker opens for half a second

  Scenario: Five bad requests do not open a breaker
    When it sends 5 bad requests
    Then its breaker is CLOSED
    And the next good request is answered

  Scenario: Five silences open a breaker, and nothing more is sent
    Given orders is killed
    When it asks 5 times in vain
    Then its breaker is OPEN
    And the next request is refused unsent, with the reason BREAKER_OPEN

  Scenario: A breaker closes again when the service answers
    Given orders is killed
    And it has asked 5 times in vain
    When orders is started again and half a second has passed
    Then the next good request is answered
    And its breaker is CLOSED

  Scenario: A breaker that finds no answer stays open
    Given orders is killed
    And it has asked 5 times in vain
    When half a second has passed and it asks once more
    Then its breaker is OPEN

  Scenario: A service whose database is away is not taken for silent
    Given every database is away
    When Ana submits 6 orders, which are refused
    Then its breaker is CLOSED
