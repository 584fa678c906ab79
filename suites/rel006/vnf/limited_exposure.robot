*** Settings ***
Documentation       [Top] as the upgrade, at background load
...                 [Cfg] the new component is killed while it serves ten percent of the new requests
...                 [Ver] which flows lost packets, where new requests went, what the migration did next
...                 [Ref] ETSI GS NFV-REL 006 V3.1.1 6.3.1.2 REQ.VNF.M.08, 6.4
Resource            procedures.resource
Test Template       Purpose Is Met


*** Test Cases ***
A Fault Of The New Version In The First Step
    [Tags]    procedure
    [Template]    NONE
    [Setup]    Open Scenario    exposure
    The Version In Service Carries Traffic
    Take A Snapshot    before
    Ask The VNFM For The Modification    exposure    staged
    Reach Stage    exposure    10
    Kill A New Component    exposure
    Let The Fault Be Contained    exposure
    Roll Back And Compare    exposure
    Let Traffic Settle
    Stop Traffic
    [Teardown]    Close Scenario    ${TEST_STATUS}    ${TEST_MESSAGE}

A fault in the new version harms only its share
    [Tags]    TP.VNF.08.3
    TP.VNF.08.3    exposure
