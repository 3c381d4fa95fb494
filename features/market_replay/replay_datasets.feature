Feature: Replay datasets

  Scenario: A close-only source is announced as close-only
    When January 2018 of "AAPL.XSIM" is replayed from "sp500-20-close"
    Then every bar of "AAPL.XSIM" knows its close alone

  Scenario: A day with unknown volume is published without volume
    When May 2015 of "NDX1.XSIM" is replayed from "nasdaq-index"
    Then the bar of "NDX1.XSIM" on 2015-05-12 has a range and no volume

  Scenario: An index cannot be traded, only its declared proxy
    Given the index "SPX.XSIM" and its declared proxy "SPX5.XSIM" are at 2700.00
    When Ana orders one of each
    Then the order of "SPX.XSIM" is rejected, since it is not tradable
    And the order of "SPX5.XSIM" works at the venue

  Scenario Outline: A replay with the same seed is identical byte for byte
    Given the generator "<dataset>" of "<symbol>"
    When an hour of it is replayed with seed 7
    And it is replayed again elsewhere with seed 7
    Then both made the same bars

    Examples:
      | symbol    | dataset         |
      | SQ00.XSIM | square-v1       |
      | JD00.XSIM | synthetic-jd-v1 |

  Scenario: A CSV with a bad line stores nothing and names the line
    Given a CSV of 20 days of which line 12 holds "abc" as close
    When the operator imports it
    Then the import is refused, naming file and line 12
    And nothing of it is stored
