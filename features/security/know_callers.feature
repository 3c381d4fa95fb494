# Real time: certificates are shown on real sockets only.
@embedded
Feature: Know every caller by its certificate

  Background:
    Given risk and market data ask every caller for a certificate

  Scenario: A service calls what its contract lets it call
    When "orders" has risk release an order
    Then risk answers
    And risk has released it

  Scenario: A service calls nothing that is kept for another
    When "strategy" has risk release an order
    Then the call is refused as NOT_PERMITTED
    And risk has released nothing

  Scenario: A service cannot pass for another with its own certificate
    When "strategy" has risk release an order, saying it is "orders"
    Then the call is refused as IDENTITY_MISMATCH
    And risk has released nothing

  Scenario: A person has the roles of the certificate and no others
    Given Ana has the certificate of a trader
    When Ana reads the decisions of risk, saying she is a risk officer
    Then the call is refused as IDENTITY_MISMATCH

  Scenario Outline: A stranger is refused before risk hears of it
    When a caller <who> has risk release an order, saying it is "orders"
    Then the call is refused as <reason>
    And nothing of it came in

    Examples:
      | who                                     | reason      |
      | whose certificate has expired           | UNAVAILABLE |
      | with a certificate of another authority | UNAVAILABLE |
      | of another environment                  | NO_IDENTITY |
      | without a certificate                   | UNAVAILABLE |
      | in plain text                           | UNAVAILABLE |
