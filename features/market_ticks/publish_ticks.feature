Feature: Publish ticks

  Scenario: Ticks out of sequence are refused with the expected sequence
    Given the feed has published trades 0 to 9 of "SQ00.XSIM"
    When it goes on with trade 12
    Then it is refused, and told that 10 comes next
    And when it goes on with trade 10 that is taken in

  Scenario: A batch of ticks sent again is counted once
    Given the feed has published trades 0 to 9 of "SQ00.XSIM"
    When it sends them again, and trade 10
    Then one batch of 1 tick is counted

  Scenario: Arrays of unequal length are refused
    When the feed sends trades of which one has no quantity
    Then they are refused, naming the arrays
    And no trade is stored

  # In real time the machine's own seconds pass as well: a quarter of one proves nothing there.
  @simulated
  Scenario: A candle of trades is confirmed after a grace of a quarter second
    Given the feed has published trades 0 to 9 of "SQ00.XSIM"
    When 1.2 seconds have passed
    Then "SQ00.XSIM" has 0 one-second bars
    But when 1.25 seconds have passed it has 1

  Scenario: Trades make candles
    Given the feed has published trades 0 to 9 of "SQ00.XSIM"
    When 2 seconds have passed
    Then the one-second bar of "SQ00.XSIM" goes from 100.00 to 100.09, of 10 trades

  Scenario: A trade that comes late makes a revision
    Given the feed has published trades 0 to 9 of "SQ00.XSIM"
    And 2 seconds have passed
    When a trade of the first second comes late, at 99.00
    Then the one-second bar of "SQ00.XSIM" is in revision 1 with a low of 99.00
    And as first seen its low was 100.00

  Scenario: The quote follows the ticks and tells when they stop
    Given the feed has published trades 0 to 9 of "SQ00.XSIM"
    And it has published a bid of 99.95
    When 10 seconds have passed
    Then the quote of "SQ00.XSIM" is 99.95 bid, last traded at 100.09
    And it is stale

  Scenario: A watcher of ticks that reconnects misses nothing
    Given the feed has published trades 0 to 9 of "SQ00.XSIM"
    And a watcher has seen them and left
    When the feed publishes trades 10 to 12 in batches of one
    And the watcher of ticks returns
    Then it sees the three batches, in order
