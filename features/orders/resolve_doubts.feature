Feature: Resolve doubts

  Background:
    Given the price of "SQ00.XSIM" is 100.00

  Scenario: An unanswered order is in doubt, not rejected
    Given the venue takes orders and says nothing
    When Ana orders 5
    Then she is told that her order is IN_DOUBT
    And once the venue speaks again, her order is NEW

  Scenario: An order in doubt is queried before it is sent again
    Given the next order does not reach the venue
    When Ana orders 5
    Then she is told that her order is IN_DOUBT
    And the venue gets it again only after denying for more than a second to have it
    And her order is NEW with 0 filled

  Scenario: A cancel crossing a fill ends filled
    Given Ana has ordered 5
    And cancels do not reach the venue
    When Ana cancels her order just before "SQ00.XSIM" trades at 101.00
    Then she is told that her order is IN_DOUBT
    And her order is FILLED with 5 filled
    And the ledger and the venue have 5
