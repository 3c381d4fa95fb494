# There are real sockets behind both ways, so nothing of this is in virtual time.
@embedded
Feature: Fall back to REST

  Background:
    Given the price of "SQ00.XSIM" is 100.00
    And people reach the platform over gRPC and over REST

  Scenario: People are served over REST while gRPC is down
    Given gRPC is down
    When Ana orders 5
    Then her order is NEW with 0 filled
    And it was sent once
    And every call of hers was answered over REST

  Scenario: People are served over gRPC while REST is down
    Given everything goes over REST
    And REST is down
    When Ana orders 5
    Then her order is NEW with 0 filled
    And it was sent once
    And every call of hers was answered over gRPC

  Scenario: A follower of orders goes on over REST when gRPC goes down
    Given Ana follows her orders
    And she has heard of her order for 5
    When gRPC goes down, and "SQ00.XSIM" trades at 100.00
    Then she has heard every event of her orders once, in order

  Scenario: A quarter of the calls over REST gets the same answers
    Given Ana has ordered 5
    And a quarter of the calls goes over REST
    When Ana looks her orders up, over and over
    Then she is told the same each time
    And about a quarter of the answers came over REST

  Scenario: The share is turned to nothing and back without a restart
    Given everything goes over REST
    When Ana orders 5, with the share as it is, at nothing, and as it was
    Then each of the orders is NEW
    And they were answered over REST, gRPC and REST

  Scenario: An order sent both ways is placed once
    When Ana sends her order for 5 over gRPC and over REST at once, and again
    Then she gets the same answer each time
    And it was sent once

  Scenario: A refusal is the same both ways
    Given Ana has ordered 5
    When Ana sends another order under the same id, over gRPC and over REST
    Then she is refused in the same words, for the id belongs to another order
