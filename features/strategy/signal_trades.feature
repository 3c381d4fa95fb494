Feature: Signal trades

  Background:
    Given a strategy that follows crossings of "SQ00.XSIM"

  Scenario: A signal is stored and published together
    When the price rises to 106.00
    Then it has signalled to go long
    And watchers see what it has stored
    And each signal is decided once

  Scenario: A filtered signal keeps its reasons and is never ordered
    Given Ana has paused it
    When the price rises to 106.00
    Then a signal to go long is kept back, for PAUSED
    And no order has come of it

  Scenario: A strategy learns of its fill from order events only
    Given it has signalled to go long by 100, and believes to hold 0
    When the venue sells it 40 at 106.00, and has no more
    Then it believes to hold 40

  Scenario: A signal that comes to nothing leaves the strategy flat
    Given Rita has halted the account
    When the price rises to 106.00
    Then it has signalled to go long
    And no order has come of it
    And it believes to hold 0
