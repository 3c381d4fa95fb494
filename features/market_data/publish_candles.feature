Feature: Publish candles

  Scenario: A confirmed candle is published once however often it is sent
    Given the feed has published a bar of "SQ00.XSIM" at 100.00
    When the feed sends the same bar again under another request
    Then it is answered as a duplicate
    And "SQ00.XSIM" has 1 bar

  Scenario: A corrected candle is stored as a revision and opens no decision
    Given a strategy that has evaluated a falling bar of "SQ00.XSIM" at 100.00
    When the feed corrects that bar to 106.00, at which the strategy would have bought
    Then it is answered as revised
    And the newest bar of "SQ00.XSIM" closes at 106.00
    And as first seen it closed at 100.00
    But the strategy has evaluated 1 bar and decided nothing

  Scenario: A different body under an equal revision is refused
    Given the feed has published a bar of "SQ00.XSIM" at 100.00
    When the feed sends that bar with another close of 100.50
    Then it is rejected as CONFLICT
    And the newest bar of "SQ00.XSIM" closes at 100.00

  Scenario: A candle out of order is refused
    Given the feed has published 3 bars of "SQ00.XSIM"
    When the feed sends a bar from before them
    Then it is rejected as OUT_OF_ORDER
    And "SQ00.XSIM" has 3 bars

  Scenario: A negative price is refused before any effect
    When the feed sends a bar of "SQ00.XSIM" at -5.00 beside one of "SQ01.XSIM" at 100.00
    Then the whole request is refused, naming the price
    And "SQ01.XSIM" has 0 bars

  Scenario: A number that is none is refused before any effect
    When the feed sends a bar of "SQ00.XSIM" at NaN beside one of "SQ01.XSIM" at 100.00
    Then the whole request is refused, naming the price
    And "SQ01.XSIM" has 0 bars

  Scenario: An unknown instrument is refused by name
    When the feed sends a bar of "NOBODY.XSIM" at 5.00 beside one of "SQ01.XSIM" at 100.00
    Then it is rejected as UNKNOWN_INSTRUMENT
    And "SQ01.XSIM" has 1 bar

  Scenario: A stale feed is reported as stale with its age
    Given the feed has published a bar of "SQ00.XSIM" at 100.00
    When 10 minutes pass without another
    Then the quote of "SQ00.XSIM" is stale and 10 minutes old

  Scenario: A missing interval is reported as a gap, not filled
    Given a watcher of "SQ00.XSIM"
    When the feed publishes the bars of minutes 1 and 4
    Then the watcher sees a bar, a gap of 2 minutes and a bar

  Scenario: A missing session is reported as a gap, not filled
    Given a watcher of "AAPL.XSIM"
    When the feed publishes the sessions of 2024-01-02 and 2024-01-04
    Then the watcher sees a bar, a gap where 2024-01-03 belongs and a bar
    And "AAPL.XSIM" has 2 sessions

  Scenario: A candle of the future is refused
    When the feed sends a bar of "SQ00.XSIM" that ends in 2 minutes, and one that is over
    Then it is rejected as IN_FUTURE
    And "SQ00.XSIM" has 1 bar

  Scenario: A candle off the grid is refused
    When the feed sends a bar of "SQ00.XSIM" that opens 10 seconds late
    Then it is rejected as OFF_GRID
    And "SQ00.XSIM" has 0 bars

  Scenario: A candle whose high lies below its low is refused, the others are stored
    When the feed sends a bar of "SQ00.XSIM" with high and low swapped, and one of "SQ01.XSIM"
    Then it is rejected as OHLC_INCONSISTENT
    And "SQ01.XSIM" has 1 bar

  Scenario: A watcher that reconnects misses nothing
    Given a watcher of "SQ00.XSIM" that has seen 2 bars and left
    When the feed publishes 3 more bars
    And the watcher returns to where it was
    Then it sees the 3 bars it missed, in order
