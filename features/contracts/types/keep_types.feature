Feature: Keep the types of the contracts

  Scenario: A close-only candle carrying a high is refused
    When the feed publishes a close-only candle that carries a high
    Then it is refused by the rule "candle.close_only_has_close_alone"
    And no candle is stored

  Scenario: A money amount with an exponent is refused
    When Otto pays "1e3" into the account
    Then it is refused by a rule of "amount.amount"
    And the account has no more than before

  Scenario: An event sequence has no gap per source
    Given a strategy that bought and reversed
    When all its signals, the order events and the events of risk are read
    Then each source numbers its events from 1 on, without a gap
    And no two events share an id

  Scenario: Every message with a price states ticks or decimal, never a float
    When every field of the contracts that is a price, a quantity or money is looked at
    Then there are over a hundred of them
    And none is a float

  Scenario: Two evaluations of one candle share a signal id
    Given a strategy whose store loses the answer when it stores a signal
    When a bar closes at which it buys, so that it evaluates the bar twice
    Then orders has decided once
    And there is one signal, and its id follows from what was evaluated
