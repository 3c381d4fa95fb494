Feature: Exit positions

  Scenario: The initial ATR stop closes the position
    Given a strategy that follows crossings of "SQ00.XSIM"
    And it went long 100 at 106.00, to stop at 104.08
    When a bar from 106.00 to 106.00 swings between 104.08 and 106.00
    Then it leaves the position at the next price, for ATR

  Scenario: A stop that is not reached stays where it is
    Given a strategy that follows crossings of "SQ00.XSIM"
    And it went long 100 at 106.00, to stop at 104.08
    When a bar from 106.00 to 106.00 swings between 104.09 and 106.00
    Then it has signalled nothing since
    And it believes to hold 100, to stop at 104.08

  Scenario: In one bar the stop wins over the target
    Given a strategy on "SQ00.XSIM" that takes profit 2 average ranges away
    And it went long 100 at 106.00, to stop at 104.08
    When a bar from 106.00 to 106.00 swings between 104.00 and 110.00
    Then it leaves the position at the next price, for ATR

  Scenario: A target that is reached closes the position
    Given a strategy on "SQ00.XSIM" that takes profit 2 average ranges away
    And it went long 100 at 106.00, to stop at 104.08
    When a bar from 106.00 to 108.00 swings between 106.00 and 109.00
    Then it leaves the position at the next price, for ATR_RATIO

  Scenario: A gap through the stop exits at the open
    Given a strategy that follows crossings of "SQ00.XSIM"
    And it went long 100 at 106.00, to stop at 104.08
    When a bar from 103.00 to 103.50 swings between 102.90 and 103.60
    Then its exit would have got 103.00
    And it leaves the position at the next price, for ATR

  Scenario: Break-even works without target tiers
    Given a strategy on "SQ00.XSIM" without target tiers
    And it went long 100 at 106.00, to stop at 104.08
    When a bar from 106.00 to 109.00 swings between 106.00 and 109.00
    Then it believes to hold 100, to stop at 106.43

  Scenario: A passed tier raises the stop to the tier before it
    Given a strategy that follows crossings of "SQ00.XSIM"
    And it went long 100 at 106.00, to stop at 104.08
    When a bar from 106.00 to 109.50 swings between 106.00 and 110.00
    Then it believes to hold 100, to stop at 108.88

  Scenario: A loser of two bars is halved where time matters
    Given a strategy on "SQ00.XSIM" that halves what loses for 2 bars
    And it went long 100 at 106.00, to stop at 104.08
    When 2 bars at 105.50 have passed, and the price is 105.50
    Then it believes to hold 50, to stop at 104.08
    And so does the ledger

  Scenario: A paused strategy still exits
    Given a strategy that follows crossings of "SQ00.XSIM"
    And it went long 100 at 106.00, to stop at 104.08
    And Ana has paused it
    When a bar from 106.00 to 106.00 swings between 104.00 and 106.00
    Then it leaves the position at the next price, for ATR

  Scenario: A repeated signal never loosens a stop
    Given a strategy that follows crossings of "SQ00.XSIM"
    And it went long 100 at 106.00, to stop at 104.08
    And its bars have grown wide, and Rita has kept it from turning round
    When the price rises to 107.00
    Then a signal to go long is kept back, for ALREADY_HELD
    And that signal would have stopped lower
    And it believes to hold 100, to stop at 104.08

  Scenario: A strategy knows its position and its stop after a restart
    Given a strategy that follows crossings of "SQ00.XSIM"
    And it went long 100 at 106.00, to stop at 104.08
    When the strategy is restarted
    Then it believes to hold 100, to stop at 104.08
