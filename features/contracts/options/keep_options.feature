Feature: Keep the options of the contracts

  Scenario: A method without a deadline fails generation
    When ports are generated from a contract whose SubmitOrder states no deadline
    Then generation fails, naming SubmitOrder and its deadline
    And no port is made

  Scenario: The load profile of a method comes from its contract
    When ports are generated from a contract whose SubmitOrder is for 321 calls a second in 45 ms
    Then the port of SubmitOrder states 321 calls a second in 45 ms
    And the port in use states what the contract in use says, for every method

  Scenario: A repeated key with another body is refused
    Given the feed has published a bar of "SQ00.XSIM" under a key
    When it publishes another bar under the same key
    Then that is refused as ALREADY_EXISTS, with both digests
    But the first bar under the same key is answered as before

  Scenario: A call without a principal is refused
    When somebody who does not say who he is lists the instruments
    Then he is refused as UNAUTHENTICATED

  Scenario: A retry sends the same bytes
    Given a way in that loses the first answer
    When Otto pays 1000 into the account that way
    Then the same bytes were sent twice
    And the account was paid once

  Scenario: A slow watcher is cut off and resumes without a gap
    Given a watcher of the ticks of "SQ00.XSIM" that has seen everything
    When 1500 batches are published while it does not read
    Then it is cut off as RESOURCE_EXHAUSTED and told its last sequence
    And when it resumes from there it has seen every batch once
