# Standbys need stores that two devices share, and this topology declares them.
@processes @servers @dual-compute-state
Feature: Take over from lost devices

  # A lease lasts 8 seconds here. Orders flow before, while and after each of these.
  Background:
    Given a platform whose standbys take over after 8 seconds of silence
    And a strategy that follows one market, and Ana who trades another

  Scenario Outline: The services of a device that is killed serve on their standby
    When <device> is killed while orders flow
    Then each of its services serves on <standby> within 5 seconds of its lapsed lease
    And every order is at the venue once, and none is in doubt
    And all that must hold after a run holds

    Examples: The second one has discovery itself
      | device  | standby |
      | compute | state   |
      | state   | compute |

  Scenario Outline: A device that was paused beyond its lease is fenced when it wakes up
    When <device> is paused while orders flow, until <standby> serves, and resumed
    Then <device> acts for nothing
    And every order is at the venue once, and none is in doubt
    And all that must hold after a run holds

    Examples:
      | device  | standby |
      | compute | state   |
      | state   | compute |

  Scenario Outline: Nothing moves while a device is paused for less than its lease
    When <device> is paused for 1 second while orders flow
    Then every service serves at its home
    And every order is at the venue once, and none is in doubt
    And all that must hold after a run holds

    Examples:
      | device  |
      | compute |
      | state   |

  Scenario Outline: A device that is ended and started again stands by for what has moved
    When <device> is ended and started again while orders flow
    Then every service serves, once
    And every order is at the venue once, and none is in doubt
    And all that must hold after a run holds

    Examples:
      | device  |
      | compute |
      | state   |
