*** Settings ***
Documentation       [Top] generator and TCP sessions through the service, taps at every virtual port
...                 [Cfg] upgrade asked by the OSS, traffic migrated in three steps with a decision after each
...                 [Ver] packets, sessions, inventory, notifications and records
...                 [Ref] ETSI GS NFV-REL 006 V3.1.1 6.3.1.2, 6.4, annex B.3.2
Resource            procedures.resource
Test Template       Purpose Is Met


*** Test Cases ***
The OSS Upgrades The Service Under Load In Three Steps
    [Tags]    procedure
    [Template]    NONE
    [Setup]    Open Scenario    upgrade
    The Version In Service Carries Traffic    full    sessions=yes
    Run Without Modification
    Take A Snapshot    before
    Ask The NFVO For The Modification    upgrade    staged
    Reach Stage    upgrade    10
    Look At The Modification    upgrade
    Try A Second Modification    upgrade    second_while_processing
    Decide    upgrade    CONTINUE
    Migrate And Continue    upgrade    30
    Reach Stage    upgrade    100
    Look At The Modification    upgrade
    Hold Back Stops
    Decide    upgrade    CONTINUE
    Await The End    upgrade
    Await The End    upgrade    level=ns
    Release Stops
    Let Traffic Settle
    Take A Snapshot    after
    Try Late Task    upgrade    cancel
    Try Late Task    upgrade    rollback
    Try Late Task    upgrade    retry
    Let Traffic Settle
    Take A Snapshot    after_late
    Scale Out
    Stop Traffic
    [Teardown]    Close Scenario    ${TEST_STATUS}    ${TEST_MESSAGE}

The final state is only reported when the old software has really gone
    [Tags]    TP.VNF.01.2
    TP.VNF.01.2    upgrade

A load-sharing stateful VNF is upgraded without a lost packet or session
    [Tags]    TP.VNF.01.6
    TP.VNF.01.6    upgrade

The flow started by the OSS shows its steps in the right order
    [Tags]    TP.VNF.03.1
    TP.VNF.03.1    upgrade

The declared type and the mapping are what happens
    [Tags]    TP.VNF.06.3
    TP.VNF.06.3    upgrade

New requests go to the new version, ongoing ones stay with the old
    [Tags]    TP.VNF.08.1
    TP.VNF.08.1    upgrade

Users with several flows keep to one instance
    [Tags]    TP.VNF.08.2
    TP.VNF.08.2    upgrade

New grows and old shrinks in steps without a dip in capacity
    [Tags]    TP.VNF.09.1
    TP.VNF.09.1    upgrade

Scaling in takes old, drained components only
    [Tags]    TP.VNF.09.2
    TP.VNF.09.2    upgrade

All records agree with each other and with what runs
    [Tags]    TP.VNF.13.1
    TP.VNF.13.1    upgrade

The final notification says what changed, and later operations use it
    [Tags]    TP.VNF.13.4
    TP.VNF.13.4    upgrade
