Feature: Lose nothing and do nothing twice

  Background:
    Given the price of "SQ00.XSIM" is 100.00

  Scenario: A signal delivered to two workers makes one order
    Given a strategy that follows crossings of "SQ00.XSIM"
    When its signal is delivered to several workers at once
    Then one order is at the venue
    And each signal is decided once

  Scenario: A crash between any two writes loses and doubles nothing
    Given a strategy that follows crossings of "SQ00.XSIM"
    When orders is killed after each of the writes of a trade and started again
    Then every check of a run at rest holds

  Scenario: A risk outage expires the signal and sends no order
    Given a strategy that follows crossings of "SQ00.XSIM"
    And risk is down
    When the strategy signals, and the signal's time passes
    Then the signal is decided EXPIRED, for RISK_UNAVAILABLE
    And no order was made

  Scenario: A lost last report is found without a reconnect
    Given Ana has ordered 10 at 99.00
    And the venue loses its next report
    When "SQ00.XSIM" trades at 99.00, of which the venue reports nothing
    Then within ten seconds her order is FILLED all the same
    And the venue's reports were never asked for anew

  Scenario: After a restart nothing is sent before the venue is reconciled
    Given Ana has ordered 10 at 99.00
    And orders is down, and the venue does not list its orders
    When orders is started, and Ana orders 5 at 99.00
    Then she is refused, for orders is RECONCILING
    And once the venue lists its orders, she can order 5 at 99.00

  Scenario: Every order-state scenario of the FIX matrices has its row
    Given the order state scenarios of FIX
    When each is played through the order machine
    Then every step shows what FIX says
    And every chapter of the matrices was played
