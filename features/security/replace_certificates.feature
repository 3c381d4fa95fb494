# Real time: certificates are shown on real sockets only.
@embedded
Feature: Replace certificates without a pause

  Background:
    Given risk and market data ask every caller for a certificate
    And "orders" asks market data without a pause, and "strategy" watches candles

  Scenario: Certificates are replaced under running calls
    When every certificate is replaced
    Then no call has failed
    And the stream brings the next candle
    And new connections show the new certificates

  Scenario: The authority is replaced under running calls
    When the authority is replaced by another, which is trusted beside it at first
    Then no call has failed
    And the stream brings the next candle
    And new connections show the new certificates
