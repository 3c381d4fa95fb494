@processes
Feature: The same results everywhere

  # The simulation is one process without time or network: what every topology is compared with.
  Scenario: The same days come to the same records on these devices as in one process
    When the days of 2018-01 to 2018-02 are traded on these devices, and in the simulation
    Then both have the same signals, orders, fills, journals and positions, and some of each
