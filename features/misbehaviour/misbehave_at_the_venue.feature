Feature: Misbehave at the venue

  Background:
    Given only clients trade "SQ00.XSIM"

  Scenario: A lost request leaves no order
    Given the venue will show LOST_REQUEST once
    When Bea tries to bid 5 at 10.00
    Then what became of the order remains open
    And the venue has 0 orders of Bea

  Scenario: A throttled client is told that he asks too often
    Given the venue takes 1 order a second
    And Bea bids 5 at 10.00
    When Bea tries to bid 5 at 10.00
    Then she is told to come back later
    And the venue has 1 order of Bea

  Scenario: A cancel that comes too late leaves the order working
    Given Bea bids 5 at 10.00
    And the venue will show CANCEL_TOO_LATE once
    When Bea cancels her order
    Then Bea's order is NEW
    And Bea's last report is CANCEL_REJECTED

  Scenario: An order that nobody asked to cancel says so
    Given Bea bids 5 at 10.00
    And the venue will show UNSOLICITED_CANCEL once
    When "SQ00.XSIM" trades at 10.05
    Then Bea's order is CANCELED
    And the reason for Bea is UNSOLICITED

  Scenario: A trade that is made in parts adds up
    Given Bea offers 10 at 10.00
    And the venue makes trades in 3 parts
    When Carl bids 10 at 10.00
    Then Carl has bought 4 at 10.00, 4 at 10.00, 2 at 10.00
    And Carl's order is FILLED

  Scenario: A trade that is taken back later is gone
    Given the venue takes trades back after a minute
    And Bea offers 5 at 10.00
    And Carl bids 5 at 10.00
    When a minute passes
    Then Carl's last report is TRADE_CANCEL
    And Carl holds nothing

  Scenario: A trade that is corrected later has another price
    Given the venue corrects trades after a minute
    And Bea offers 5 at 10.00
    And Carl bids 5 at 10.02
    When a minute passes
    Then Carl's last report is TRADE_CORRECT
    And Carl has paid 50.05 and 0.11 in fees

  Scenario: A halt that the venue calls ends after its time
    Given Bea bids 5 at 10.00
    And the venue halts trading for a minute
    And "SQ00.XSIM" trades at 10.05
    When a minute passes
    Then Bea's reports are NEW, SUSPENDED, ORDER_STATUS

  Scenario: A forgetful venue finds the order after a while
    Given the venue forgets new orders for a minute
    And Bea bids 5 at 10.00
    And Bea's order is not found
    When a minute passes
    Then Bea's order is NEW

  Scenario Outline: A venue that restarts <keeps> what lives
    Given Bea bids 5 at 10.00
    And the venue will restart and its session is <session>
    When Carl tries to bid 5 at 10.00
    Then what became of the order remains open
    And Bea's order is <status>

    Examples:
      | keeps   | session | status   |
      | keeps   | kept    | NEW      |
      | cancels | lost    | CANCELED |

  Scenario: What misbehaves is written down as a fault
    Given the venue will show LOST_REQUEST once
    When Bea tries to bid 5 at 10.00
    Then the history has 1 fault, LOST_REQUEST
