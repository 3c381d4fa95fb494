Feature: Judge how orders were worked

  # Simulated: on a busy machine real time may make a slice later than the 50 ms that a check allows.
  @simulated
  Scenario: A run with worked orders passes every check of execution
    Given the venue quotes both sides around 100.00
    And Ana buys 100 at a fifth of the volume over a minute
    And others trade 40 in each of 5 seconds
    When Ana buys 50 with urgency 3 over a minute and cancels half-way
    Then every check of execution has something to examine and finds nothing
