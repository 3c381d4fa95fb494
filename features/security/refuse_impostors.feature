# Real time: certificates are shown on real sockets only.
@embedded
Feature: Refuse servers that are not who they must be

  Scenario: A caller of risk does not talk to market data in its place
    Given market data answers where risk is called
    When "orders" watches the events of risk
    Then the call is refused as UNAVAILABLE
    And nothing of it came in

  Scenario: A caller of risk talks to risk
    Given risk and market data ask every caller for a certificate
    When "orders" watches the events of risk
    Then risk answers
