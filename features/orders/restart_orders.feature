Feature: Restart orders

  Background:
    Given the price of "SQ00.XSIM" is 100.00

  Scenario: After a restart the order continues where it stopped
    Given Ana has ordered 5
    When the orders service is down while "SQ00.XSIM" trades at 101.00
    Then her order is FILLED with 5 filled
    And the ledger and the venue have 5

  Scenario: An order in doubt is not sent again by a restart
    Given the venue takes orders and says nothing
    And Ana has ordered 5 and is in doubt
    When the orders service is killed and restarted
    Then once the venue speaks again, her order is NEW
    And it was sent once
