Feature: Trade the tunnel

  Scenario: The platform trades a proxy as the reference does
    Given 58 days of the index are known on 2011-04-11
    And the tunnel trades its proxy
    When the next 36 days are replayed
    Then it has opened and left as the reference does, leaving in 4 ways
    And strategy, ledger and venue hold the same

  # It takes as long as the one before, and stores are crashed in both worlds elsewhere.
  @simulated
  Scenario: A restart in between changes no trade
    Given 58 days of the index are known on 2011-04-11
    And the tunnel trades its proxy
    When the next 10 days are replayed, and 26 more after a restart
    Then it has opened and left as the reference does, leaving in 4 ways

  Scenario: What the tunnel filters keeps its reasons and is never ordered
    Given 79 days of the index are known on 1999-08-11
    And the tunnel trades its proxy
    When the next day is replayed
    Then a signal to go short is kept back, for MACD_FALLING_KNIFE
    And no order has come of it

  Scenario: The tunnel is not started before its slowest average is warm
    Given 58 days of the index are known on 2011-04-11
    When Ana starts the tunnel with its own averages
    Then she is refused for NOT_WARM, with 58 days of 2704

  Scenario: The tunnel is not started on closes alone
    Given the closes of 1999-02 to 1999-03 are known
    When Ana starts the tunnel on "AAPL.XSIM"
    Then she is refused for CANDLE_KIND_INSUFFICIENT, by the name of VEGAS
