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
