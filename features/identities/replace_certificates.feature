# Every device is a process of its own: certificates are replaced as an operator replaces them,
# by new files in the folder of the device.
@processes
Feature: Replace the certificates of devices without a pause

  Background:
    Given Ana trades over all devices

  Scenario: Certificates are replaced while orders are traded
    When every certificate is replaced while she trades on
    Then no call has failed
    And every service shows its new certificate
    And the books agree with the venue

  Scenario: The authority is replaced while orders are traded
    When the authority is replaced by another while she trades on
    Then no call has failed
    And devices that lose all connections find each other again
    And the books agree with the venue
