Feature: Trade candles

  Scenario: A candle becomes a booked fill
    Given a strategy that follows crossings of "SQ00.XSIM"
    When the price of "SQ00.XSIM" rises to 106.00, and next to 106.10
    Then Ana's account holds 100 "SQ00.XSIM" that cost 106.10 each
    And strategy, ledger and venue hold the same
    And the fill names the order, and the order names the signal

  # It runs both worlds by itself.
  @simulated
  Scenario: Live, replay and simulation reach the same positions from the same candles
    When the days of 2018-01 to 2018-03 are traded live, in a replay and in a simulation
    Then each of them holds the same, and something
    And each of them has booked the same fills
