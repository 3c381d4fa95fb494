Feature: Compute indicators

  Scenario: No value is given before an indicator is warm
    Given 5 bars of "SQ00.XSIM"
    When Ana asks for the SMA over 4 bars
    Then there are 2 values, the first at bar 4

  Scenario: Too short a history gives no value
    Given 3 bars of "SQ00.XSIM"
    When Ana asks for the SMA over 4 bars
    Then there is no value

  Scenario: A range indicator on close-only candles is refused by name
    Given 20 bars of "SQ00.XSIM" that know their close alone
    When Ana asks for the ATR over 4 bars
    Then she is refused: the ATR needs a RANGE and has CLOSE_ONLY

  Scenario: A volume indicator on close-only candles is refused by name
    Given 20 bars of "SQ00.XSIM" that know their close alone
    When Ana asks for the VOLUME_RATIO over 4 bars
    Then she is refused: the VOLUME_RATIO needs a VOLUME and has CLOSE_ONLY

  Scenario: Appending candles never changes earlier values
    Given 40 bars of "SQ00.XSIM"
    And Ana has seen their RSI over 9 bars
    When 20 more bars of "SQ00.XSIM" follow
    Then its first 31 values are still what she saw

  Scenario Outline: A flat market gives the defined value, not a division by zero
    Given 20 bars of "SQ00.XSIM" at the same price
    When Ana asks for the <indicator> over 9 bars
    Then its last value is <value>

    Examples:
      | indicator    | value |
      | RSI          | 50    |
      | KDJ          | 50    |
      | ATR          | 0     |
      | ABS_MOVE     | 0     |
      | PARKINSON    | 0     |
      | VOLUME_RATIO | 1     |

  Scenario: A bar without a range has no shape
    Given 20 bars of "SQ00.XSIM" at the same price
    When Ana asks for the ENGULFING
    Then no bar from bar 2 on has a value, and each of them is named

  Scenario Outline: An indicator agrees with the reference library
    Given 120 bars of "SQ00.XSIM"
    When Ana asks for the <indicator>
    Then it is what the reference library says

    Examples:
      | indicator |
      | SMA       |
      | EMA       |
      | RSI       |
      | MACD      |
      | ATR       |
      | BBANDS    |

  Scenario Outline: A request that makes no sense is refused by name
    Given 20 bars of "SQ00.XSIM"
    When Ana asks for the <indicator> with <parameter> of <value>
    Then she is refused with PARAMETER_OUT_OF_RANGE

    Examples:
      | indicator | parameter | value |
      | EMA       | n         | 0     |
      | EMA       | n         | 5001  |
      | MACD      | fast      | 26    |

  Scenario: The anchor of every value is stated
    Given 30 bars of "SQ00.XSIM"
    When Ana asks for the EMA over 4 of the newest 20 bars
    Then its anchor is bar 11
