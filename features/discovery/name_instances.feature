Feature: Name instances

  Scenario Outline: Schema and namespace follow from the name alone
    When somebody asks for the names of "<instance>"
    Then its schema and its namespace are "<schema>"
    And its name in DNS is "<dns>"

    Examples:
      | instance       | schema         | dns            |
      | orders         | orders         | orders         |
      | orders-LH      | orders_lh      | orders-lh      |
      | risk-Alpha-2   | risk_alpha_2   | risk-alpha-2   |

  Scenario: Two names with one identity cannot both run
    Given "orders-LH" is registered and serves
    When "orders-lh" tries to register
    Then it is refused as IDENTITY_TAKEN
    And it may register once "orders-LH" has left

  Scenario: An address that only this machine knows is refused in production
    When "orders" tries to register at "127.0.0.1" in production
    Then it is refused as ADDRESS_UNROUTABLE
    And it may register at "10.1.2.3" in production
