*** Settings ***
Documentation       [Top] three compute hosts, reference points recorded
...                 [Cfg] the version in service, alone
...                 [Ver] inventory of the hosts and records of NFVO, VNFM and VIM
...                 [Ref] ETSI GS NFV-TST 001 7.1.2 and 7.1.5
Resource            procedures.resource


*** Test Cases ***
A Service Is Instantiated, Queried And Terminated
    [Documentation]    The plain life cycle, recorded as the ground on which everything else stands.
    [Tags]    procedure
    [Setup]    Open Scenario    lifecycle
    Start The Service
    Query The Service
    Terminate The Service
    [Teardown]    Close Scenario    ${TEST_STATUS}    ${TEST_MESSAGE}
