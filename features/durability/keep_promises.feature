Feature: Keep promises while stores are away

  Background:
    Given the price of "SQ00.XSIM" is 100.00
    And an order of Ana for 30 "SQ00.XSIM" works at the venue

  Scenario: A new order is refused while its store is away, a fill is not lost
    Given the databases went away
    And the venue traded 30 of her order
    When Ana orders 5 "SQ00.XSIM", and the databases come back
    Then that order was refused before it had any effect
    And she holds 30 "SQ00.XSIM", in the ledger as at the venue

  Scenario: A store that comes back is used again without a restart
    Given the databases went away
    And an order of Ana for 5 "SQ00.XSIM" was refused
    When the databases come back
    Then every service tells that it keeps its data
    And Ana's next order for 5 "SQ00.XSIM" works at the venue

  Scenario: What was spooled appears once and in order
    Given the databases went away
    And the venue traded 5, 10 and 15 of her order
    When the databases come back
    Then her order traded 5, 10 and 15, each once and in this order
    And she holds 30 "SQ00.XSIM", in the ledger as at the venue

  Scenario: Durability is part of every health answer
    Given every service tells that it keeps its data
    When the databases went away, and the venue traded 30 of her order
    Then every service tells that it refuses what is new
    And execution tells that 1 fact is spooled, and for how long

  Scenario: What people were told is told again with its age while the store is away
    Given Ana has looked at her order
    When the databases went away
    Then she is told the same of it, and when it was read
    And Ben, who never looked at it, is told nothing

  # Virtual time only: nobody waits a quarter of an hour for Redis.
  @simulated
  Scenario: Nothing new is begun when events have waited a quarter of an hour for their stream
    Given Redis went away
    And Ana ordered 5 "SQ00.XSIM" all the same
    When 16 minutes have passed
    Then her order for 6 "SQ00.XSIM" is refused for the backlog
    And it is taken once Redis is back and the backlog is gone
