Feature: Trade proxies

  Background:
    Given the price of "SPX.XSIM" is 4700.00
    And the price of "SPX5.XSIM" is 470.00

  Scenario: An index cannot be traded
    When Ana orders 1 "SPX.XSIM"
    Then the order is rejected for INSTRUMENT_NOT_TRADABLE
    And the venue has 0 orders of hers

  Scenario: The declared proxy of an index can be traded
    When Ana orders 1 "SPX5.XSIM"
    Then the order works at the venue
    And the venue has 1 order of hers
