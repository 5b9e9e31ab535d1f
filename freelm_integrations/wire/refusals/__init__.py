"""What went wrong, and until when: refusals become faults, rate-limit headers become readings."""
