Feature: Keep pace

  # Of three, since a machine that stalls for a moment says nothing about the platform.
  @alone
  Scenario: A candle becomes a booked fill within half a second
    Given strategies that follow crossings of 3 instruments, whose books always stand
    When their prices rise one after another, and a candle of each closes
    Then 2 of the 3 candles are booked fills within 500 ms

  # Virtual time: the pace of the machine is no part of it. Load tests measure it for real.
  @simulated
  Scenario: At twice the target rate 99 of 100 candles are filled in time
    Given strategies that follow the square waves of 90 instruments, whose books always stand
    When 200 candles close every second for 2 seconds
    Then at least 25 of 100 candles have signalled
    And 99 of 100 signals are booked fills within 500 ms
