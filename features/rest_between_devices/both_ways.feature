@processes @apart
Feature: REST between devices

  # Which way a call goes is configuration of its caller: nobody else knows, and nothing is lost.
  Scenario: Half of the checks go over REST
    Given devices that send 50 % of the calls to risk over REST
    And a strategy that follows one market, and Ana who trades another
    When 12 orders flow
    Then each way carried at least a quarter of the checks
    And no order was rejected
    And every order of hers was answered, and is at the venue once or was rejected
    And all that must hold after a run holds

  Scenario Outline: Orders are approved over <other> while <way> between devices is cut
    Given devices that send <share> % of the calls to risk over REST
    And a strategy that follows one market, and Ana who trades another
    When orders flow while <way> between devices is cut, and after it
    Then they were checked over <other> while it was, and over <way> alone after it
    And every order of hers was answered, and is at the venue once or was rejected
    And all that must hold after a run holds

    Examples:
      | way  | share | other |
      | gRPC | 0     | REST  |
      | REST | 100   | gRPC  |

  # As an operator does it: the device that calls is ended and started by other options.
  Scenario: The share is turned to all and back to nothing by configuration
    Given devices that send 0 % of the calls to risk over REST
    And a strategy that follows one market, and Ana who trades another
    When the share is turned to 100 % and back to 0 % while orders flow
    Then they were checked over gRPC, REST and gRPC alone
    And every order of hers was answered, and is at the venue once or was rejected
    And all that must hold after a run holds
