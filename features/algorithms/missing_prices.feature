Feature: Work orders without prices

  Scenario: Without a market price no child is sent
    Given nobody quotes "SQ00.XSIM", which last traded at 100.00
    And Ana buys 100 in ten equal parts over a minute
    When the minute passes
    Then no child was sent, for want of a reference
    And her order is CANCELED
