Feature: Survive cuts

  Background:
    Given the price of "SQ00.XSIM" is 100.00

  Scenario: While the link to the exchange is cut for ten seconds no order is doubled or lost
    Given the link to the exchange is cut
    And Ana has sent orders of 10, 11 and 12 "SQ00.XSIM"
    When the link has been cut for 10 seconds and is whole again
    Then each of the 3 orders is at the venue once
    And each of the 3 orders works

  Scenario: While Redis is emptied no signal is lost
    Given a strategy that follows crossings of "SQ00.XSIM"
    And it has signalled after orders was killed
    And Redis was emptied
    When orders is started again
    Then the venue has 1 order of hers
    And each signal is decided once
