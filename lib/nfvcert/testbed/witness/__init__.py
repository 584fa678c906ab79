"""The witness: a recorder that sits on every reference point between the components under test.

It forwards what the components say to each other and writes it down, receives the notifications that the tester
subscribes to, and puts in faults from outside (held or refused messages). It is a process of its own, so that it goes
on recording while test back-ends come and go.
"""
