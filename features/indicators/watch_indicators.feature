Feature: Watch indicators

  Scenario: Streamed and batch values are equal to the last bit
    Given 10 bars of "SQ00.XSIM"
    When 50 more bars of "SQ00.XSIM" follow while Ana watches its MACD
    Then she has seen 50 bars
    And what she saw equals the MACD computed at once, to the last bit

  Scenario: A gap is marked on the next value
    Given 10 bars of "SQ00.XSIM"
    When bars 11, 12, 16 and 17 follow while Ana watches its EMA over 4 bars
    Then of the bars she has seen only bar 16 is marked as after a gap

  Scenario: A forming candle does not disturb the confirmed value
    Given 20 bars of "SQ00.XSIM"
    When bar 21 is shown forming and then confirmed while Ana watches its EMA over 4 bars
    Then she has seen bar 21 forming at one value and confirmed at another
    And what she saw last equals the EMA over 4 bars computed at once
