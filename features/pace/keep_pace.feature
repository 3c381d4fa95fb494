Feature: Keep pace

  Scenario: A candle becomes a booked fill within half a second
    Given a strategy that follows crossings of "SQ03.XSIM", whose book always stands
    When its price rises and a candle closes
    Then the candle is a booked fill within 500 ms

