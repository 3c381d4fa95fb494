Feature: Walk bars

  Scenario: An order waits for the next price point
    Given "SQ00.XSIM" trades along its bars, last at 100.00
    And Bea buys 5 at the market
    And Bea has traded nothing
    When "SQ00.XSIM" trades at 101.00
    Then Bea has bought 5 at 101.00
