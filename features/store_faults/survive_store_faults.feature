# Only where programs keep the state: files and memory cannot be killed, paused or cut.
@servers
Feature: Survive store faults

  Background:
    Given a strategy that follows crossings of "SQ00.XSIM"
    And it has signalled, and the signal is handled
    And the price of "SQ01.XSIM" is 50.00
    And an order of Ana to buy 5 "SQ01.XSIM" works at the venue

  Scenario Outline: While MySQL fails no signal is lost and no order is doubled
    When the price crosses and Ana orders 10 "SQ01.XSIM" while <fault>
    And both trade once more
    Then each signal is decided once
    And each of her orders that was not refused is at the venue once
    And rows, streams, services and venue tell of the same positions
    And every check of a run at rest holds

    Examples:
      | fault                    |
      | MySQL takes no writes    |
      | MySQL answers nothing    |

  Scenario Outline: While Redis fails no signal is lost and no order is doubled
    When the price crosses and Ana orders 10 "SQ01.XSIM" while <fault>
    And both trade once more
    Then each signal is decided once
    And the stream has every signal
    And each of her orders that was not refused is at the venue once
    And rows, streams, services and venue tell of the same positions
    And every check of a run at rest holds

    Examples:
      | fault                             |
      | Redis is killed                   |
      | Redis is killed and its data lost |
      | Redis is out of memory            |
      | Redis answers nothing             |

  Scenario: What Redis has lost is published again, and nothing is handled twice
    When Redis has lost its data, and everything is published and read again
    Then each signal is decided once
    And the stream has every signal
    And she has 2 orders, and the venue has them
    And every check of a run at rest holds

  # Only of a server's own program on this machine can strace hold up the calls.
  @local @traced
  Scenario: On a slow disk orders take longer, and none is lost or doubled
    When the price crosses and Ana orders 10 "SQ01.XSIM" while MySQL has a slow disk
    And both trade once more
    Then each signal is decided once
    And each of her orders that was not refused is at the venue once
    And rows, streams, services and venue tell of the same positions
    And every check of a run at rest holds
