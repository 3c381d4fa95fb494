Feature: Signal trades

  Background:
    Given a strategy that follows crossings of "SQ00.XSIM"

  Scenario: A signal is stored and published together or not at all
    Given its database refuses writes, and the price has risen to 106.00
    And nothing is stored and nothing is published
    When its database takes writes again
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

  Scenario: A late indicator stream is replaced by a batch request with the same decision
    Given elsewhere the same strategy, to which indicators stream too late
    When the price rises to 106.00 here and elsewhere
    Then it has signalled to go long
    And elsewhere it has decided the same, by a batch request
