"""One extraction as a decision loop: ask, judge, ask again. Pure: it yields calls and is sent replies."""

from assay.engine.loop import Step, ask_until_good
from assay.engine.task import Learnt, Modes, Question, Task, WireSchema

__all__ = ["Learnt", "Modes", "Question", "Step", "Task", "WireSchema", "ask_until_good"]
