# Only where programs keep the state: files and memory cannot be killed, cut or locked by others.
@servers
Feature: Never half done

  Background:
    Given a strategy that follows crossings of "SQ00.XSIM"
    And it has signalled, and the signal is handled
    And the price of "SQ01.XSIM" is 50.00
    And an order of Ana to buy 5 "SQ01.XSIM" works at the venue

  Scenario Outline: MySQL killed in mid-trial has everything that was answered
    When the price crosses, and MySQL is killed after the next write of <service>
    And both trade once more
    Then each signal is decided once
    And each of her orders that was not refused is at the venue once
    And rows, streams, services and venue tell of the same positions
    And every service tells the same once it is started again
    And every check of a run at rest holds

    Examples:
      | service   |
      | strategy  |
      | orders    |
      | execution |

  @cuttable
  Scenario Outline: A commit whose answer is lost is neither lost nor repeated
    When the price crosses, and the next commit of <service> happens without an answer
    And the price crosses again, and the next commit of <service> is cut off
    And both trade once more
    Then each signal is decided once
    And each of her orders that was not refused is at the venue once
    And rows, streams, services and venue tell of the same positions
    And every check of a run at rest holds

    Examples:
      | service   |
      | strategy  |
      | risk      |
      | orders    |
      | execution |
      | portfolio |

  Scenario Outline: A deadlock takes nothing back that was done
    When her order trades, and <service> meets a rival who locks <second> before <first>
    And both trade once more
    Then each of her orders that was not refused is at the venue once
    And rows, streams, services and venue tell of the same positions
    And every check of a run at rest holds

    Examples:
      | service   | first    | second         |
      | portfolio | accounts | cursors        |
      | orders    | report_cursors | orders |

  Scenario Outline: What waited for a lock in vain is done once the lock is gone
    When her order trades while a rival holds <table> of <service> for too long
    And both trade once more
    Then each of her orders that was not refused is at the venue once
    And rows, streams, services and venue tell of the same positions
    And every check of a run at rest holds

    Examples:
      | service   | table          |
      | portfolio | cursors        |
      | orders    | report_cursors |
