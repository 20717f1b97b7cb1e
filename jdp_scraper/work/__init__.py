"""The work floor: tasks, their queue, workers, the watchdog and the retry decision."""
