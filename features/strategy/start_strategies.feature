Feature: Start strategies

  Scenario: Starting without history is refused
    Given 10 bars of "SQ00.XSIM"
    When Ana starts a strategy that follows crossings of "SQ00.XSIM"
    Then she is refused for NOT_WARM, with 10 bars of 15

  Scenario: Starting with history is not refused
    Given 15 bars of "SQ00.XSIM"
    When Ana starts a strategy that follows crossings of "SQ00.XSIM"
    Then it runs

  Scenario: A strategy on an index is refused
    When Ana starts a strategy that follows crossings of "SPX.XSIM"
    Then she is refused for NOT_TRADABLE
