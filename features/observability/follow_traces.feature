Feature: Follow traces

  Scenario: One trace leads from candle to ledger
    Given the price of "SQ00.XSIM" is 100.00
    And a strategy that follows crossings of "SQ00.XSIM"
    When the price of "SQ00.XSIM" rises to 106.00, and next to 106.10
    Then one trace leads from the candle over signal, order and fill to the ledger
    And no part of that trace is missing

  Scenario: A refused order is traced to who refused it
    Given the price of "SPX.XSIM" is 4700.00
    When Ana orders 1 "SPX.XSIM"
    Then the trace of her order shows that risk was asked and the venue was not

  # Only there does a seed decide everything.
  @simulated
  Scenario: The same seed gives the same trace twice
    When a candle is traded twice from the same seed
    Then both traces are the same
