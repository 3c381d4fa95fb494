Feature: Work orders over time

  Background:
    Given the venue quotes both sides around 100.00

  Scenario: The children of a parent add up to the parent, always
    Given Ana buys 100 in ten equal parts over a minute
    When the minute passes
    Then filled, working, doubtful and unscheduled were 100 at every look
    And the venue's orders traded 100 in all
    And her order is FILLED

  # Real time passes while slices are sent, so the machine must not be busy with other tests.
  @alone
  Scenario: Slices leave at their times, not at once
    Given Ana buys 100 in ten equal parts over a minute
    When the minute passes
    Then each of 10 slices left when it was due, a tenth apart give or take a fifth
    And her order is FILLED

  Scenario: A missed slice is caught up within the cap
    Given Ana buys 100 in ten equal parts over a minute, at most 25 at a time
    When execution is down for 30 seconds
    Then the missed slices were caught up in one child of 25

  Scenario: Participation never exceeds its cap
    Given Ana buys 100 at a fifth of the volume over a minute
    When others trade 40 in each of 10 seconds
    Then never more than a fifth of the volume was hers, nor could have become
    And she has bought 80 to 100

  Scenario: A front-loaded order trades most in its first slice
    Given Ana buys 100 with urgency 5 over a minute
    When the minute passes
    Then the first slice was the largest
    And her order is FILLED

  Scenario: Zero risk aversion equals the time-weighted schedule
    Given Ana buys 100 in ten equal parts over a minute
    When Ana buys 100 with no aversion to risk over a minute
    Then both schedules have the same targets

  Scenario: The iceberg shows one slice and refills it
    Given Ana bids for 40 and shows 10
    When the market comes to her bid 3 times
    Then never more than 12 of it were to be seen
    And it was refilled 3 times

  Scenario: A canceled parent sends no further child
    Given Ana buys 100 in ten equal parts over a minute
    And 20 seconds have passed
    When Ana cancels the order
    Then her order is CANCELED
    And no child follows in the rest of the minute

  Scenario: A restart resumes the schedule without repeating a slice
    Given Ana buys 100 in ten equal parts over a minute
    When execution restarts every 20 seconds of the minute
    Then the venue's orders traded 100 in all
    And no slice was sent twice
    And her order is FILLED

  Scenario: What a trading mode stops is caught up when it is over
    Given Ana buys 100 in ten equal parts over a minute
    And 20 seconds have passed
    When the account may only cancel for 20 seconds
    Then nothing of her order was open during that time
    And her order is FILLED by the end of the minute
