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

  Scenario: A bust carries the reference of the trade
    Given Bea offers 5 at 10.00
    And Carl bids 5 at 10.00
    When the venue takes Carl's trade back
    Then Bea is told which trade was taken back
    And Carl is told which trade was taken back
    And Carl holds nothing
    And Carl has 100000 in cash, 0 of it reserved

  Scenario: A halted market keeps its orders and takes no new one
    Given Bea offers 5 at 10.00
    And trading is halted
    And Carl bids 5 at 10.00
    When trading is resumed
    Then 0 of Carl's order have traded and it is REJECTED
    And the reason for Carl is HALTED
    And 5 of Bea's order are left

  Scenario: The same seed gives the same reports
    Given the venue makes every second trade in parts
    And clients trade all day
    When a new venue of the same seed is given the same day
    Then it makes the same reports
