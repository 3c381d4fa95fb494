Feature: Trip breakers

  Background:
    Given the price of "SQ00.XSIM" is 100.00

  Scenario: Drawdown counts open losses and stops trading at the limit
    Given Ana bought 1900 "SQ00.XSIM" at 100.00
    And the price of "SQ00.XSIM" has fallen to 22.00, and no drawdown stopped her
    When the price of "SQ00.XSIM" falls to 21.00
    Then the account may only reduce
    And an order to buy 1 "SQ00.XSIM" would be rejected, among others for DRAWDOWN
    And an order to sell 1900 "SQ00.XSIM" would be approved

  Scenario: Five losses in a row pause the strategy for five minutes
    Given a strategy has lost five trades of "SQ00.XSIM" in a row
    And its next order to open is rejected for LOSS_STREAK, MODE_BLOCKED
    When five minutes pass
    Then its next order to open would be approved

  Scenario: The daily reset leaves positions alone
    Given Ana bought 1900 "SQ00.XSIM" at 100.00
    And the price of "SQ00.XSIM" has fallen to 70.00, and her day's loss stopped her
    When the next day begins
    Then the account may do everything
    And the day's profit is 0
    And Ana holds 1900 "SQ00.XSIM"
