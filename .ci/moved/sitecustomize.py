"""Python starts with this where `.ci/moved` is on PYTHONPATH: every process of the run lives the same so many
seconds away from now.
"""

import os
import time

if shift := os.environ.get("CLOCK_SHIFT"):
    import time_machine

    time_machine.travel(time.time() + float(shift), tick=True).start()
