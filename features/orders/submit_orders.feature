Feature: Submit orders

  Background:
    Given the price of "SQ00.XSIM" is 100.00

  Scenario: An order repeated after a lost answer is placed once
    Given the venue loses its next answer to an order
    When Ana sends her order for 5 three times
    Then she gets the same answer each time
    And her order is NEW with 0 filled
    And it was sent once

  Scenario: An id reused with another body is refused
    Given Ana has ordered 5
    When Ana sends an order for 6 under the same id
    Then she is refused, for the id belongs to another order
    And it was sent once

  Scenario: An immediate-or-cancel remainder ends canceled
    Given Ana has ordered 5, what does not trade at once to be canceled
    When "SQ00.XSIM" trades at 100.00 with 3 on offer
    Then her order is CANCELED with 3 filled
    And the ledger and the venue have 3

  Scenario: A report seen twice is booked once
    Given Ana has ordered 5
    And the venue reports everything twice
    When "SQ00.XSIM" trades at 101.00
    Then the venue has reported a fill twice
    And her order is FILLED with 5 filled
    And the ledger and the venue have 5

  Scenario: A risk outage sends no order
    Given risk is down
    When Ana orders 5
    Then she is told that her order is REJECTED
    And the reason is RISK_UNAVAILABLE
    And it was never sent
