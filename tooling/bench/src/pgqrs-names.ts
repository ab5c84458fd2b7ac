/** The queue of messages. */
export const queueName = 'bench'

/** The workflow, and so the queue of its runs. */
export const workflowName = 'bench_run'

/** The shortest that `lease` allows. */
export const shortestLease = '100ms'
