# Every device is a process of its own: what is refused is refused by a real one. What one server
# alone refuses is in `security`.
@processes
Feature: Let only those in who may come, on every device

  Scenario: A service calls over devices what its contract lets it call
    When "orders" has risk release an order
    Then risk answers
    And risk has released it

  Scenario: A service calls nothing that is kept for another, wherever that is
    When "strategy" has risk release an order
    Then the call is refused as NOT_PERMITTED
    And risk has released nothing

  Scenario: A service cannot pass for another on another device
    When "strategy" has risk release an order, saying it is "orders"
    Then the call is refused as IDENTITY_MISMATCH
    And risk has released nothing

  Scenario: A person has the roles of the certificate and no others, on every device
    When Ana, a trader, reads the decisions of risk, saying she is a risk officer
    Then the call is refused as IDENTITY_MISMATCH

  Scenario: A client of another house calls a device as whom its certificate names
    When Rita, a risk officer, reads the decisions of risk by a client of another house
    Then she is told what the device has, and that nothing was decided

  Scenario: No device lets a stranger in
    When every stranger has risk release an order, saying it is "orders"
    Then each is refused as he must be
    And risk has released nothing

