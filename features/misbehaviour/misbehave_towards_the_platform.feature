Feature: Misbehave towards the platform

  Background:
    Given the price of "SQ00.XSIM" is 100.00

  Scenario Outline: Reports that are <how> change no balance
    Given the venue shows <kind> for half of its reports
    When Ana buys 5 "SQ00.XSIM" at 101.00
    Then Ana holds 5 at 101.00 in ledger and venue alike
    And ledger and venue state the same cash

    Examples:
      | how        | kind             |
      | doubled    | DUPLICATE_REPORT |
      | mixed      | REORDER_REPORTS  |
      | late       | DELAY_REPORTS    |
      | cut off    | CUT_STREAM       |

  # In real time the five seconds after which execution asks for what is missing are waited out.
  @simulated
  Scenario: A last report that is dropped is found without a reconnect
    Given the venue will show DROP_LAST_REPORT once
    When Ana buys 5 "SQ00.XSIM" at 101.00
    Then Ana holds 5 at 101.00 in ledger and venue alike
    And ledger and venue state the same cash

  Scenario: A busted trade reaches the ledger
    Given Ana buys 5 "SQ00.XSIM" at 101.00
    When the venue takes Ana's trade back
    Then Ana holds nothing in ledger and venue alike
    And ledger and venue state the same cash

  Scenario: A corrected trade reaches the ledger
    Given the venue corrects trades after a minute
    And Ana buys 5 "SQ00.XSIM" at 101.00
    When a minute passes
    Then Ana holds 5 at 101.01 in ledger and venue alike
    And ledger and venue state the same cash
