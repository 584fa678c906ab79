*** Settings ***
Documentation       [Top] as the upgrade, at background load
...                 [Cfg] one modification stopped and rolled back three times: on order of the administrator, by cancel
...                 ...    after old components have gone, after a crash of the VNFM
...                 [Ver] snapshots of all records before and after, packets, inventory
...                 [Ref] ETSI GS NFV-REL 006 V3.1.1 6.4 REQ.GEN.002, 6.3.1.2 REQ.VNF.M.12 and M.13
Resource            procedures.resource
Test Template       Purpose Is Met


*** Test Cases ***
A Modification Is Stopped And Rolled Back In Three Phases
    [Tags]    procedure
    [Template]    NONE
    [Setup]    Open Scenario    rollback
    The Version In Service Carries Traffic
    Take A Snapshot    before
    # on order of the administrator, half of the new requests on the new version
    Ask The NFVO For The Modification    by_decision    frugal
    Reach Stage    by_decision    50
    Look At The Modification    by_decision
    Decide    by_decision    ABORT
    Await The End    by_decision
    Try A Second Modification    by_decision    second_while_failed_temp
    Roll Back And Compare    by_decision
    # by cancel, all new requests on the new version and an old component gone
    Ask The VNFM For The Modification    by_cancel    frugal
    Migrate And Continue    by_cancel    50
    Reach Stage    by_cancel    100
    Ask For Task    by_cancel    cancel    GRACEFUL
    Decide    by_cancel    CONTINUE
    Await The End    by_cancel
    Roll Back And Compare    by_cancel
    # after a crash of the VNFM
    Ask The VNFM For The Modification    by_crash    frugal
    Reach Stage    by_crash    50
    Restart The VNFM
    Await The End    by_crash
    Roll Back And Compare    by_crash
    Stop Traffic
    [Teardown]    Close Scenario    ${TEST_STATUS}    ${TEST_MESSAGE}

The policy and the parameters chosen by the OSS arrive unchanged
    [Tags]    TP.VNF.03.4
    TP.VNF.03.4    upgrade    rollback

The additional resources of each policy are those really used
    [Tags]    TP.VNF.06.2
    TP.VNF.06.2    upgrade    rollback

The state read agrees with the phase seen from outside
    [Tags]    TP.VNF.12.1
    TP.VNF.12.1    upgrade    rollback

The state can be read at any moment and never goes backwards
    [Tags]    TP.VNF.12.2
    TP.VNF.12.2    upgrade    rollback

Notifications tell the same story as the records
    [Tags]    TP.VNF.12.3
    TP.VNF.12.3    upgrade    rollback

A crash of the manager does not hide the state
    [Tags]    TP.VNF.12.4
    TP.VNF.12.4    rollback

Records change neither before completion nor after a rollback
    [Tags]    TP.VNF.13.2
    TP.VNF.13.2    upgrade    rollback

Rollback from each phase restores the start state
    [Tags]    TP.GEN.02.1
    TP.GEN.02.1    rollback

After a rollback nothing of the new version remains
    [Tags]    TP.GEN.02.3
    TP.GEN.02.3    rollback

A faultless run is rolled back on order, and none after commit
    [Tags]    TP.GEN.02.4
    TP.GEN.02.4    upgrade    rollback
