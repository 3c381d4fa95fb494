Feature: Agree with the venue

  Scenario: Ledger and venue round each fill to the same amount
    Given the price of "AAPL.XSIM" is 100.005
    And Ana bought 1 "AAPL.XSIM" at 100.005
    And Ana bought 1 "AAPL.XSIM" at 100.015
    When Ana sells 7 "AAPL.XSIM" at 100.015
    Then ledger and venue state the same cash

  Scenario: Positions agree with the exchange after a restart
    Given the price of "SQ00.XSIM" is 100.00
    And Ana bought 10 "SQ00.XSIM" at 100.00
    And Ana sold 15 "SQ00.XSIM" at 110.00
    When the ledger is restarted
    Then ledger and venue state the same positions
    And Ana holds -5 "SQ00.XSIM" that cost 110.00 each

  Scenario: A fill while the ledger is down is booked after its restart
    Given the price of "SQ00.XSIM" is 100.00
    And Ana ordered 10 "SQ00.XSIM"
    When the ledger is down while the order is filled at 100.00
    Then ledger and venue state the same positions
    And Ana holds 10 "SQ00.XSIM"
