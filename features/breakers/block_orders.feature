Feature: Block orders

  Background:
    Given the price of "SQ00.XSIM" is 100.00

  Scenario: An order in doubt keeps its hold and blocks new openings
    Given the venue says nothing, and Ana's order of 10 "SQ00.XSIM" is in doubt
    When two minutes pass
    Then what was held for it is still held
    And an order to buy 1 "SQ00.XSIM" would be rejected for IN_DOUBT_BLOCK

  Scenario: An order without a risk token is refused by execution
    Given risk has approved an order of 10 "SQ00.XSIM"
    When execution is handed that order without its token
    Then execution refuses it before anything happens
    And the venue has 0 orders of hers

  Scenario: Rejected orders count toward the rate, cancels do not
    Given Rita allows the account 3 orders a minute
    And Ana's order of 999999 "SQ00.XSIM" was rejected
    And Ana ordered 10 "SQ00.XSIM" and canceled that
    When Ana orders 11 "SQ00.XSIM"
    Then her order works
    And an order to buy 12 "SQ00.XSIM" would be rejected for ORDER_RATE

  Scenario: Changing limits shows which past decisions would differ
    Given risk has approved an order of 10 "SQ00.XSIM"
    And risk has approved an order of 1500 "SQ00.XSIM"
    When Rita asks what a position limit of 10 % would have changed
    Then only the order of 1500 would have been rejected, for POSITION_LIMIT
    And the limits are as they were
