Feature: Decide with the tunnel

  Scenario: Heavier conditions outvote more numerous ones
    Given on 2005-03-11 the tunnel votes long once and short 2 times
    When Ana asks what it decides, EMA_TOUCH weighing 2.5
    Then it would go long
    And counting its votes it would go short

  Scenario: A tie opens nothing
    Given on 1999-06-25 the tunnel votes long once and short once
    When Ana asks what it decides, EMA_TOUCH and HAMMER weighing 2.5
    Then it would open nothing, with 2 votes
    And EMA_TOUCH weighing 2.6 it would go long

  Scenario: Vegas refuses close-only candles
    Given on 2005-03-11 closes alone are known
    When Ana asks what it decides
    Then she is refused for CANDLE_KIND_INSUFFICIENT, by the name of VEGAS

  Scenario: Debug output changes no decision
    Given on 1999-08-12 the tunnel votes long 0 times and short 2 times
    When Ana asks what it decides, with debug output
    Then without debug output it would signal the same
    And debug output says more
