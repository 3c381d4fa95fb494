# Only where programs keep the state: files and memory cannot be killed.
@servers
Feature: Trade on through store faults

  Scenario: A trial in which MySQL is killed and Redis loses everything passes every check
    Given at 30 % of a trial "MySQL is killed"
    And at 60 % of a trial "Redis is killed and its data lost"
    When 40 minutes of a session are traded
    Then the trial passes every check
    And 20 trades or more were booked in it
