# Real time: certificates are shown on real sockets only. The client is grpcurl, which
# knows nothing of this platform but what the platform tells it.
@embedded
Feature: Answer any client that has a certificate

  Background:
    Given risk and market data ask every caller for a certificate

  Scenario: A client that knows no contract finds out what there is
    When a client of another house asks, as "orders", what there is
    Then it is told of risk and market data
    And it is told who may release an order

  Scenario: A client of another house calls as its certificate says
    When a client of another house has risk release an order, as "orders"
    Then it is answered
    And risk has released it

  Scenario: The contract counts for a client of another house
    When a client of another house has risk release an order, as "strategy"
    Then it is refused as PermissionDenied
    And risk has released nothing

  Scenario Outline: A client that does not prove who it is learns nothing
    When a client of another house <who> asks what there is
    Then it cannot even connect
    And nothing of it came in

    Examples:
      | who                                     |
      | without a certificate                   |
      | with a certificate of another authority |
      | that looks for the server of orders     |
