Feature: Degrade as stated

  # What each service does without another stands in its contract; here it is found out.
  Scenario Outline: Without <peer> the <service> service does what its contract says
    Given orders that work, a strategy that runs and one that does not
    When <peer> goes away
    Then without <peer> <service> refuses what its contract says, and answers everything else
    And when <peer> is back <service> answers everything, and no order is in doubt

    Examples:
      | service    | peer       |
      | indicators | marketdata |
      | portfolio  | marketdata |
      | strategy   | marketdata |
      | strategy   | indicators |
      | risk       | marketdata |
      | risk       | strategy   |
      | risk       | portfolio  |
      | execution  | exchange   |
      | execution  | marketdata |
      | execution  | risk       |
      | orders     | marketdata |
      | orders     | risk       |
      | orders     | execution  |
      | orders     | strategy   |
      | orders     | portfolio  |

  Scenario: Without risk a new order is rejected, and a cancel is not held up
    Given orders that work, a strategy that runs and one that does not
    When risk is killed
    Then a new order is rejected because risk is unavailable
    And a working order can be canceled

  Scenario: An order sent without execution is sent once, when execution is back
    Given orders that work, a strategy that runs and one that does not
    And execution is killed
    When Ana submits an order
    Then her order is in doubt
    And after the restart of execution it works at the venue, once
