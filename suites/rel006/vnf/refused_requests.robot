*** Settings ***
Documentation       [Top] as the upgrade, at background load; two services with the old version
...                 [Cfg] requests that must be refused, then their positive twin whose grant is held back
...                 [Ver] answers, grants, inventory, packets, states of packages
...                 [Ref] ETSI GS NFV-REL 006 V3.1.1 6.2, 6.3.1.2, annex B.3.2 steps 4 to 6 and 15
Resource            procedures.resource
Test Template       Purpose Is Met


*** Test Cases ***
What Cannot Be Verified Is Refused And Its Twin Goes Through
    [Tags]    procedure
    [Template]    NONE
    [Setup]    Open Scenario    refusals
    The Version In Service Carries Traffic
    Ask For What Cannot Be Verified
    Ask The NFVO For Unusable Packages
    Offer Altered Packages
    Deny A Grant
    Modify With A Held Grant
    Stop Traffic
    Follow The Usage Of Packages
    [Teardown]    Close Scenario    ${TEST_STATUS}    ${TEST_MESSAGE}

A request that cannot be verified stops before anything is touched
    [Tags]    TP.VNF.01.3
    TP.VNF.01.3    refusals

Resources are only taken after a grant and only as granted
    [Tags]    TP.VNF.01.4
    TP.VNF.01.4    refusals

A failed check is reported to the OSS and never reaches the VNFM
    [Tags]    TP.VNF.03.3
    TP.VNF.03.3    refusals

A package whose metadata are missing or altered is not used
    [Tags]    TP.VNF.05.2
    TP.VNF.05.2    refusals

A change in the metadata changes what happens
    [Tags]    TP.VNF.05.3
    TP.VNF.05.3    upgrade    refusals

A policy is selected by name and an unknown one is refused
    [Tags]    TP.VNF.06.4
    TP.VNF.06.4    upgrade    refusals

Package usage follows the instances
    [Tags]    TP.VNF.13.3
    TP.VNF.13.3    refusals
