Feature: Survive faults

  Background:
    Given the price of "SQ00.XSIM" is 100.00

  Scenario: While the venue is out no order is doubled or lost
    Given the venue has taken an order of 10 "SQ00.XSIM", and its answer was lost
    And Ana has sent orders of 11 and 12 "SQ00.XSIM" while the venue was out
    When the venue is back
    Then each of the 3 orders is at the venue once
    And each of the 3 orders works

  Scenario: A duplicated report storm changes no balance
    Given the venue sends each of its reports twice
    And Ana bought 10 "SQ00.XSIM" at 100.00
    When Ana sells 4 "SQ00.XSIM" at 101.00
    Then the venue has sent reports twice
    And 2 fills are booked
    And ledger and venue state the same cash and positions

  Scenario: A killed orders service continues where it stopped
    Given an order of Ana's for 10 "SQ00.XSIM" works at the venue
    And the venue has filled it at 100.00 after orders was killed
    When orders is started again
    Then her order is filled
    And ledger and venue state the same cash and positions
    And the venue has 1 order of hers

  Scenario: A signal that came while orders was down becomes one order
    Given a strategy that follows crossings of "SQ00.XSIM"
    And it has signalled to go long after orders was killed
    When orders is started again
    Then the venue has 1 order of hers
    And each signal is decided once
