Feature: Book fills

  Background:
    Given the price of "SQ00.XSIM" is 100.00

  Scenario: Every journal balances to zero
    Given Ana bought 3 "SQ00.XSIM" at 100.01
    When Ana sells 5 "SQ00.XSIM" at 99.97
    Then the debits of each of the 3 journals equal its credits
    And what the ledger accounts hold together is nothing

  Scenario: A fill delivered twice is booked once
    Given Ana bought 10 "SQ00.XSIM" at 100.00
    When the ledger hears of that fill again
    Then 1 fill is booked
    And Ana holds 10 "SQ00.XSIM"

  Scenario: A sell through zero closes, then opens at the new price
    Given Ana bought 10 "SQ00.XSIM" at 100.00
    When Ana sells 15 "SQ00.XSIM" at 110.00
    Then Ana holds -5 "SQ00.XSIM" that cost 110.00 each
    And 100.00 is realised

  Scenario: A buy through zero closes, then opens at the new price
    Given Ana sold 10 "SQ00.XSIM" at 100.00
    When Ana buys 15 "SQ00.XSIM" at 110.00
    Then Ana holds 5 "SQ00.XSIM" that cost 110.00 each
    And -100.00 is realised

  Scenario: Closing everything leaves no cost behind
    Given Ana bought 3 "SQ00.XSIM" at 100.01
    And Ana bought 4 "SQ00.XSIM" at 100.04
    And Ana sold 2 "SQ00.XSIM" at 100.07
    When Ana sells 5 "SQ00.XSIM" at 99.95
    Then Ana holds 0 "SQ00.XSIM"
    And the cost booked for "SQ00.XSIM" sums to zero

  Scenario: A flat trade costs its fees
    Given Ana bought 10 "SQ00.XSIM" at 100.00
    When Ana sells 10 "SQ00.XSIM" at 100.00
    Then 0 is realised
    And Ana is poorer by 4.00, her fees

  Scenario: A busted trade leaves the books as if it had never happened
    Given Ana bought 10 "SQ00.XSIM" at 100.00
    And Ana bought 5 "SQ00.XSIM" at 110.00
    And Ana sold 12 "SQ00.XSIM" at 120.00
    And elsewhere all happened but the second of these trades
    When the venue takes back the second trade
    Then the books are as they are elsewhere
