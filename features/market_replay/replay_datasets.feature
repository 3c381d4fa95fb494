Feature: Replay datasets

  Scenario: A close-only source is announced as close-only
    When January 2018 of "AAPL.XSIM" is replayed from "sp500-20-close"
    Then every bar of "AAPL.XSIM" knows its close alone

  Scenario: A day with unknown volume is published without volume
    When May 2015 of "NDX1.XSIM" is replayed from "nasdaq-index"
    Then the bar of "NDX1.XSIM" on 2015-05-12 has a range and no volume

  Scenario: An index is not tradable, only its declared proxy
    When the instruments are listed
    Then "SPX.XSIM" is not tradable
    And "SPX5.XSIM" is tradable and a proxy of "SPX.XSIM"

  Scenario: A replay with the same seed is identical byte for byte
    When an hour of "SQ00.XSIM" is replayed with seed 7
    And it is replayed again elsewhere with seed 7
    Then both made the same bars

  Scenario: A CSV with a bad line stores nothing and names the line
    Given a CSV of 20 days of which line 12 holds "abc" as close
    When the operator imports it
    Then the import is refused, naming file and line 12
    And nothing of it is stored
