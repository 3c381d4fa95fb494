@processes @several
Feature: Move services

  # Which device serves what is configuration: no caller knows, and nothing is lost on the way.
  Background:
    Given a strategy that follows one market, and Ana who trades another

  Scenario Outline: <service> moves to its standby and back while orders flow
    When <service> moves to its standby and back while orders flow
    Then <service> serves at its home
    And every order is at the venue once, unless it was refused while nobody was there for it
    And all that must hold after a run holds

    Examples:
      | service    |
      | risk       |
      | orders     |
      | marketdata |
      | execution  |

  # As an operator does it who has no hand in the devices: two processes end and start again.
  Scenario: A service moves by other options of its devices, and back
    When risk goes to its standby by other options of both, and back, while orders flow
    Then risk serves at its home
    And every order is at the venue once, unless it was refused while nobody was there for it
    And all that must hold after a run holds

  Scenario: A service stays where it is when its new device does not answer
    When risk is to move to its standby, which sleeps, while orders flow
    Then risk serves at its home
    And every order is at the venue once, unless it was refused while nobody was there for it
    And all that must hold after a run holds

  # Files of SQLite have no link that could be cut.
  @servers
  Scenario: A service that does not come up at its new home is back at its old one
    When risk is to move to its standby, which cannot reach its database, while orders flow
    Then risk serves at its home
    And every order is at the venue once, unless it was refused while nobody was there for it
    And all that must hold after a run holds
