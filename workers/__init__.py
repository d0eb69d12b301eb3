"""Where tasks are computed: the executor protocol, the registered tasks, and the local executor."""
