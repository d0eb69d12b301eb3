"""Small questions to classifiers while somebody waits for the answer.

No model is ever loaded in the server's process. The asker keeps a few processes with one model each, which start when
they are first asked and end when nobody has asked them for some minutes, when others need their place, or with the
server. They are no jobs: nothing of them is on the disk.

`asker` is what the service talks to, `keeper` holds one process, `process` is the program that the process runs,
`messages` what the two say to each other.
"""

from fooling.service.asking.answers import Answer, Answers
from fooling.service.asking.asker import Asker

__all__ = ["Answer", "Answers", "Asker"]
