Feature: Value holdings

  Background:
    Given the price of "SQ00.XSIM" is 100.00

  Scenario: A stale price is shown as stale, not as zero
    Given Ana bought 10 "SQ00.XSIM" at 100.00
    When 10 minutes pass without a price
    Then her 10 "SQ00.XSIM" are worth 1000.00, at a stale price

  Scenario: A fresh price is not shown as stale
    Given Ana bought 10 "SQ00.XSIM" at 100.00
    When the price of "SQ00.XSIM" rises to 101.00
    Then her 10 "SQ00.XSIM" are worth 1010.00, at a fresh price

  Scenario: Realised plus unrealised minus fees equals equity change
    Given Ana bought 10 "SQ00.XSIM" at 100.00
    And Ana sold 4 "SQ00.XSIM" at 103.55
    When the price of "SQ00.XSIM" falls to 97.35
    Then Ana is poorer by 4.53 than what she paid in
    And that is what is realised and unrealised, less fees
