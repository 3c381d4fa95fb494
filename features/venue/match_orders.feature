Feature: Match orders

  Background:
    Given only clients trade "SQ00.XSIM"

  Scenario: Better price trades first, earlier order next
    Given Bea offers 5 at 10.02
    And Carl offers 5 at 10.01
    And Dan offers 5 at 10.01
    When Eve bids 7 at 10.02
    Then Carl has sold 5 at 10.01
    And Dan has sold 2 at 10.01
    And Bea has traded nothing

  Scenario Outline: A fill-or-kill trades whole or not at all
    Given Bea offers 5 at 10.00
    When Carl bids <wanted>, whole or not at all, at 10.00
    Then <bought> of Carl's order have traded and it is <status>
    And <left> of Bea's order are left

    Examples:
      | wanted | bought | status   | left |
      | 5      | 5      | FILLED   | 0    |
      | 6      | 0      | CANCELED | 5    |

  Scenario: A stop triggers after the match that moved the price
    Given Bea offers 2 at 10.00
    And Bea offers 2 at 10.05
    And Bea offers 2 at 10.10
    And Carl has a stop to buy 1 when the price reaches 10.00
    When Dan bids 4 at 10.05
    Then Dan has bought 2 at 10.00, 2 at 10.05
    And Carl has bought 1 at 10.10

  Scenario: A market order on an empty book is canceled, not left waiting
    When Bea buys 5 at the market
    Then 0 of Bea's order have traded and it is CANCELED
    And the reason for Bea is NO_LIQUIDITY

  Scenario: Maker and taker pay their own rate
    Given makers pay 10 and takers 20 basis points
    And Bea offers 10 at 100.00
    When Carl bids 10 at 100.00
    Then Bea has paid 1.00 in fees
    And Carl has paid 2.00 in fees

  Scenario: Reducing quantity keeps the place in the queue
    Given Bea offers 5 at 10.00
    And Carl offers 5 at 10.00
    And Bea makes it 3
    When Dan bids 4 at 10.00
    Then Bea has sold 3 at 10.00
    And Carl has sold 1 at 10.00

  Scenario: Raising quantity loses the place in the queue
    Given Bea offers 5 at 10.00
    And Carl offers 5 at 10.00
    And Bea makes it 6
    When Dan bids 7 at 10.00
    Then Carl has sold 5 at 10.00
    And Bea has sold 2 at 10.00

  Scenario: An iceberg queues anew with each part that it shows
    Given Bea offers 9 at 10.00, showing 3
    And Carl offers 5 at 10.00
    When Dan bids 10 at 10.00
    Then Bea has sold 3 at 10.00, 2 at 10.00
    And Carl has sold 5 at 10.00

  Scenario: A partial fill reaches position, balance and fees
    Given makers pay 10 and takers 20 basis points
    And Bea offers 4 at 100.00
    When Carl bids 10 at 100.00
    Then Carl holds 4
    And Carl has 99599.20 in cash, 601.20 of it reserved
    And Carl has paid 0.80 in fees
