Feature: Exit positions

  Background:
    Given a strategy that follows crossings of "SQ00.XSIM"
    And it went long 100 at 106.00, to stop at 104.08

  Scenario: The initial stop closes the position
    When a bar from 106.00 to 106.00 touches 104.08 in between
    Then it leaves the position at the next price

  Scenario: A stop that is not reached stays where it is
    When a bar from 106.00 to 106.00 touches 104.09 in between
    Then it has signalled nothing since
    And it believes to hold 100, to stop at 104.08

  Scenario: In one bar the stop wins
    When a bar from 106.00 to 106.00 swings between 104.00 and 110.00
    Then it leaves the position at the next price

  Scenario: A gain moves the stop to where nothing can be lost
    When a bar from 106.00 to 109.00 touches 109.00 in between
    Then it believes to hold 100, to stop at 106.43

  Scenario: A paused strategy still exits
    Given Ana has paused it
    When a bar from 106.00 to 106.00 touches 104.00 in between
    Then it leaves the position at the next price

  Scenario: A repeated signal never loosens a stop
    Given its bars have grown wide
    And Rita has kept it from turning round
    When the price rises to 107.00
    Then a signal to go long is kept back, for ALREADY_HELD
    And that signal would have stopped lower
    And it believes to hold 100, to stop at 104.08

  Scenario: A strategy knows its position and its stop after a restart
    When the strategy is restarted
    Then it believes to hold 100, to stop at 104.08
