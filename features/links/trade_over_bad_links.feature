@processes
Feature: Trade over bad links

  # In one process there are no links. Chances and times are real: what holds at rest is judged.
  Background:
    Given a strategy that follows one market, and Ana who trades another

  # Fewer may trade meanwhile: risk has 300 ms to approve an order, so where that crosses a link
  # that is 200 ms slower each way it is rejected at its deadline, and nothing leaves unapproved.
  # What only chance brings may take longer to meet somebody.
  @several
  Scenario Outline: Nothing is lost or doubled while links between devices are <fault>
    When orders flow while the links between devices are <fault> for at least <seconds> s
    Then that was felt
    And every order of hers was answered, and is at the venue once or was rejected for the link
    And all that must hold after a run holds

    Examples:
      | fault                                 | seconds |
      | 200 ms ± 50 ms slower each way        | 8       |
      | resetting one connection in a hundred | 8       |
      | half open                             | 6       |
      | cut                                   | 10      |

  # What the platform says fits: nobody is to feel it.
  @several
  Scenario: A narrow link between devices is wide enough
    When orders flow while the links between devices are as narrow as 256 kB a second for 5 seconds
    Then no order was rejected
    And every order of hers was answered, and is at the venue once or was rejected for the link
    And all that must hold after a run holds

  Scenario Outline: Nothing is lost or doubled while the link to the exchange is <fault>
    When orders flow while the links to exchange are <fault> for at least <seconds> s
    Then that was felt
    And every order of hers was answered, and is at the venue once or was rejected for the link
    And all that must hold after a run holds

    Examples:
      | fault                          | seconds |
      | 200 ms ± 50 ms slower each way | 4       |
      | cut                            | 10      |

  # Files have no link, and the server that comes with them neither.
  @servers
  Scenario Outline: Nothing is lost or doubled while the links to <store> are <fault>
    When orders flow while the links to <store> are <fault> for at least <seconds> s
    Then that was felt
    And every order of hers was answered, and is at the venue once or was rejected for the link
    And all that must hold after a run holds

    Examples:
      | store | fault                          | seconds |
      | mysql | 200 ms ± 50 ms slower each way | 4       |
      | mysql | half open                      | 4       |
      | mysql | cut                            | 10      |
      | redis | cut                            | 10      |
