import signal

import pytest

from nfvcert.nfvi import interrupts


@pytest.mark.parametrize("times", [1, 3])
def test_an_interruption_waits_for_the_end_of_the_block(times: int) -> None:
    finished = False
    with pytest.raises(KeyboardInterrupt), interrupts.uninterrupted():
        for _ in range(times):
            signal.raise_signal(signal.SIGINT)
        finished = True
    assert finished


def test_termination_unwinds_until_it_is_restored() -> None:
    previous = interrupts.unwind_on_sigterm()
    try:
        with pytest.raises(SystemExit) as ended:
            signal.raise_signal(signal.SIGTERM)
        assert ended.value.code == 128 + signal.SIGTERM
    finally:
        interrupts.restore_sigterm(previous)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_program_that_handles_termination_keeps_its_handler() -> None:
    def own(_number: int, _frame: object) -> None: ...

    before = signal.signal(signal.SIGTERM, own)
    try:
        assert interrupts.unwind_on_sigterm() is None
        interrupts.restore_sigterm(None)
        assert signal.getsignal(signal.SIGTERM) is own
    finally:
        signal.signal(signal.SIGTERM, before)
