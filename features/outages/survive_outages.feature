Feature: Survive outages

  Background:
    Given the price of "SQ00.XSIM" is 100.00

  Scenario: While the risk service is down no order leaves
    Given a strategy that follows crossings of "SQ00.XSIM"
    And risk was killed
    When the strategy signals, and Ana orders 10 "SQ00.XSIM"
    Then the venue has 0 orders of hers
    And nothing of hers was sent

  Scenario Outline: While the database refuses writes for five seconds nothing is half done
    Given a strategy that follows crossings of "SQ00.XSIM"
    When the price rises while the database of <service> refuses writes for 5 seconds
    And the price has moved on to 106.10
    Then the venue has 1 order of hers
    And each signal is decided once
    And strategy, ledger and venue hold the same

    Examples:
      | service   |
      | strategy  |
      | risk      |
      | orders    |
      | execution |
      | portfolio |
