Feature: Change orders

  Background:
    Given the price of "SQ00.XSIM" is 100.00

  Scenario: A fill during a pending replace carries the old price
    Given Ana has ordered 10 at 99.00
    And the venue does not hear of the next replacement
    When Ana asks for 12 at 99.50, and 4 trade at 99.00 before the venue has answered
    Then 4 have traded at 99.00
    And her order works for 12 at 99.50, of which 4 have traded
    And the ledger and the venue have 4

  Scenario: Risk looks at the new values of an order before the venue does
    Given Ana has ordered 10 at 99.00
    When Ana asks for 1000000 at 99.00
    Then she is refused, for risk rejects the new values
    And her order works for 10 at 99.00, of which 0 have traded

  Scenario: A protective stop follows the filled quantity
    Given Ana has ordered 10 at 100.00, with a stop at 95.00 and a target at 104.00 at the venue
    And 4 have traded, and the venue has a stop and a target for 4
    When "SQ00.XSIM" trades at 100.00 with 6 on offer
    Then the venue has a stop and a target for 10
    And once "SQ00.XSIM" trades at 94.00 nothing is held, and the target is canceled

  Scenario: A busted trade is taken back everywhere
    Given Ana has bought 5 at 100.00
    When the venue takes the trade back
    Then her order is CANCELED with 0 filled
    And ledger, venue and risk have nothing
