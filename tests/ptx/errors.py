"""What can go wrong in a PTX program."""


class PTXError(Exception):
    """A program that cannot be read, or that does what no correct kernel does."""


class LaneFault(Exception):
    """A fault of one lane; the machine turns it into a `PTXError` that names instruction and thread."""

    def __init__(self, reason: str, lane: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.lane = int(lane)
