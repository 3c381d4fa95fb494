Feature: Evaluate candles

  Background:
    Given a strategy that follows crossings of "SQ00.XSIM"

  Scenario: A candle is evaluated once even if it is delivered twice
    Given it has evaluated a bar at 100.00
    When that bar comes again after a restart, and then one at 99.00
    Then it has evaluated 2 bars
    And it has signalled nothing

  Scenario: A corrected candle is not evaluated again
    Given it has evaluated a bar at 100.00
    When the feed corrects that bar to 106.00
    Then it has evaluated 1 bar
    And it has signalled nothing

  Scenario: A candle that came while the strategy was down is evaluated
    Given it has evaluated a bar at 100.00
    When a bar at 106.00 comes while the strategy is down
    Then it has evaluated 2 bars
    And it has signalled to go long
