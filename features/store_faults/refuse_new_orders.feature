# Only where programs keep the state: files and memory have no other's switch or disk.
@servers
Feature: Refuse new orders while MySQL keeps nothing

  Background:
    Given a strategy that follows crossings of "SQ00.XSIM"
    And it has signalled, and the signal is handled
    And the price of "SQ01.XSIM" is 50.00

  Scenario: While MySQL takes no writes an order is refused with the reason, and leaves nothing
    When Ana orders 10 "SQ01.XSIM" while MySQL takes no writes
    Then she is refused, for STORE_READ_ONLY
    And nothing of that order is anywhere
    And once MySQL keeps things again, the same order is taken
    And every check of a run at rest holds

  # Only a container's disk can be made small; this machine's own is not ours to fill.
  @containers @own_servers
  Scenario: While the disk is full an order is refused with the reason, and leaves nothing
    Given risk lets Ana order as often as she likes
    When Ana orders again and again while MySQL has a full disk
    Then she is refused, for STORE_FULL
    And nothing of that order is anywhere
    And once MySQL keeps things again, the same order is taken
    And every check of a run at rest holds
