# Stores with passwords, and devices as processes of their own.
@processes @local
Feature: Keep secrets where they belong

  Scenario: What devices log, record and show holds no secret
    Given devices that log whatever there is to log
    When Ana trades over them, strangers try to come in, and the stores are away for a moment
    Then no log and no history holds a key or a password
    And nobody on the machine sees one in the arguments of a process
    And none in the environment of a process
