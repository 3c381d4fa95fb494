Feature: Keep leases

  Scenario: Two instances of one service are both found
    Given "orders" is registered and serves
    And "orders-LH" is registered and serves
    When somebody looks for "orders"
    Then "orders" and "orders-LH" are found

  Scenario: An instance whose beats stop is the last choice, then gone
    Given "orders" is registered and serves
    And "orders-LH" is registered and serves
    When 8 seconds pass in which only "orders" beats
    Then "orders" is SERVING
    And "orders-LH" is SUSPECT
    And 8 seconds later, in which only "orders" beats, "orders-LH" is EXPIRED

  Scenario: A process that slept through its lease does not act on waking
    Given "orders" is registered and serves
    And 16 seconds have passed in which nobody beats
    When "orders" beats as if nothing had happened
    Then it is refused as FENCED
    And it registers anew with a greater fence

  Scenario: Restarting discovery evicts nobody
    Given "orders" is registered and serves
    And "risk" is registered and serves
    When discovery is killed, and started again after 60 seconds
    Then "orders" is SERVING
    And "risk" is SERVING
    And both can go on with their beats

  Scenario: A drained instance is told so and receives no new calls
    Given "orders" is registered and serves
    When Otto takes "orders" out of use
    Then the next beat of "orders" is told to drain
    And nobody is sent to "orders"
    And "orders" is DRAINING

  Scenario: When most leases would end at once none does for a minute
    Given six instances are registered and serve
    When 16 seconds pass in which nobody beats
    Then all of them are SUSPECT
    And 61 seconds later none of them is left

  Scenario: Who watches knows what is listed
    Given somebody watches all instances
    And "orders" is registered and serves
    And "orders-LH" is registered and serves
    And "risk" is registered and serves
    When "risk" leaves
    And 16 seconds pass in which only "orders" beats
    Then who watches knows exactly what is listed
