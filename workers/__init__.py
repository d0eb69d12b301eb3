"""Where tasks are computed: the executor protocol, the registry of tasks, and the executors, local and on
Ray."""
