Feature: Execute orders

  Background:
    Given the price of "SQ00.XSIM" is 100.00

  Scenario: An approved order is sent
    Given risk has approved an order for 5
    When execution is handed that order with its approval
    Then it is sent once

  Scenario Outline: An order without approval is refused
    Given risk has approved an order for 5
    When execution is handed <what>
    Then it refuses what is NOT_APPROVED
    And nothing is sent

    Examples:
      | what                                         |
      | another order with that approval             |
      | that order a minute later                    |
      | that order with an approval risk did not sign |

  Scenario: An order that risk rejected is refused
    Given risk has rejected an order for 100000
    When execution is handed that order with its decision
    Then it refuses what is NOT_APPROVED
    And nothing is sent

  Scenario: An unanswered child is never replaced by a new one
    Given the venue answers nothing
    And Ana has ordered 5 and is in doubt
    When execution is handed her order again with a new approval
    Then it refuses what is IN_DOUBT
    And 5 of her order are doubtful, in one child sent 1 time
    And once the venue answers, 5 of her order are working, in one child sent 2 times

  Scenario: A canceled parent sends no further child
    Given the next order does not reach the venue
    And Ana has ordered 5 and is in doubt
    When Ana cancels her order
    Then her order comes to rest as CANCELED
    And 0 of her order are doubtful, in one child sent 1 time
    And nothing is sent
