Feature: Replay days

  Scenario: A daily-close replay trades only at prices after the decision
    Given the days of 2017-11 to 2017-12 are known
    And a strategy that follows their crossings
    When the days of 2018-01 to 2018-03 are replayed
    Then it has traded more than 5 times
    And each trade has the close of the day after its signal
