Feature: Keep orders

  Background:
    Given only clients trade "SQ00.XSIM"

  Scenario: A repeated client id makes one order
    Given Bea bids 5 at 10.00
    When Bea sends the same order twice more
    Then both times she gets the answer of the first time
    And the venue has 1 order of Bea

  Scenario: A lost answer leaves the order working
    Given the venue loses its next answer to an order
    When Bea tries to bid 5 at 10.00
    Then what became of the order remains open
    And 5 of Bea's order are left

  Scenario: An outage loses no accepted order
    Given Bea bids 5 at 10.00
    And the venue is out
    When Carl tries to bid 5 at 10.00
    Then what became of the order remains open
    And once the venue is back, 5 of Bea's order are left
    And the venue has 0 orders of Carl
