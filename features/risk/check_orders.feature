Feature: Check orders

  Background:
    Given the price of "SQ00.XSIM" is 100.00

  Scenario: Every failed check is reported, not only the first
    When Ana bids 150.005 for 2000 "SQ00.XSIM"
    Then the order is rejected for PRICE_OFF_TICK, PRICE_OUTSIDE_COLLAR, POSITION_LIMIT
    And the venue has 0 orders of hers

  Scenario: A missing reference price refuses the order
    When Ana bids 100.00 for 10 "SQ01.XSIM"
    Then the order is rejected, among others for REFERENCE_MISSING
    And the venue has 0 orders of hers

  Scenario: Ten orders racing for one slot get one approval
    When Ana sends ten orders of about 1500 "SQ00.XSIM" at once, with room for one
    Then 1 of them is taken
    And 9 of them are rejected for POSITION_LIMIT
    And the venue has 1 order of hers

  Scenario: A position-reducing order passes when every limit is used up
    Given Ana bought 1000 "SQ00.XSIM" at 100.00
    And Rita has left no room under any limit
    When Ana sells 1000 "SQ00.XSIM" at 100.00
    Then Ana holds 0 "SQ00.XSIM"
    And an order to buy 1 "SQ00.XSIM" would be rejected

  Scenario: A repeated validation returns the first decision
    Given risk has approved an order of 10 "SQ00.XSIM"
    And Rita has halted the account since
    And risk has been restarted since
    When the same validation is asked for again
    Then the first decision is the answer, approval included

  Scenario: A repeated validation of another order is refused
    Given risk has approved an order of 10 "SQ00.XSIM"
    When the same validation is asked for with 11 "SQ00.XSIM"
    Then it is refused as ALREADY_EXISTS
