Feature: Halt trading

  Background:
    Given the price of "SQ00.XSIM" is 100.00

  Scenario: A halted account sends nothing and cancels everything
    Given Ana has bid 90.00 for 11 "SQ00.XSIM"
    And Rita has halted the account
    When Ana bids 100.00 for 10 "SQ00.XSIM"
    Then the order is rejected for MODE_BLOCKED
    And the venue has 1 order of hers
    And the order at 90.00 is canceled
    And the halt reached the venue in time

  Scenario: A halt survives a restart
    Given Rita has halted the account
    When risk is restarted
    Then the account is halted
    And an order to buy 1 "SQ00.XSIM" would be rejected

  Scenario: A halt ends when the risk officer lifts it
    Given Rita has halted the account
    When Rita lifts the halt
    Then an order to buy 1 "SQ00.XSIM" would be approved

  Scenario: A trader cannot lift a halt
    Given Rita has halted the account
    When Ana lifts the halt
    Then she is refused as PERMISSION_DENIED
    And the account is halted
