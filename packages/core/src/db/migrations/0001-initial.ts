import type { Migration } from '../layout.js'

/** The tables of the first release. */
export const initial: Migration = {
  version: 1,
  name: 'initial',
  compatibleFrom: 1,
  adds: {
    tables: [
      {
        name: 'pgqrs_messages',
        columns: [
          { name: 'id', type: 'uuid' },
          { name: 'queue', type: 'text' },
          {
            name: 'status',
            type: 'text',
            oneOf: ['queued', 'running', 'paused', 'cancelling', 'success', 'error', 'cancelled'],
          },
          { name: 'priority', type: 'int', default: '0' },
          { name: 'vt', type: 'time' },
          { name: 'due_at', type: 'time', nullable: true },
          { name: 'key', type: 'text', nullable: true },
          { name: 'key_kept', type: 'boolean', default: 'false' },
          { name: 'payload', type: 'text' },
          { name: 'lease_id', type: 'uuid', nullable: true },
          { name: 'worker_id', type: 'uuid', nullable: true },
          { name: 'claims', type: 'int', default: '0' },
          { name: 'failures', type: 'int', default: '0' },
          { name: 'crashes', type: 'int', default: '0' },
          { name: 'output', type: 'text', nullable: true },
          { name: 'error', type: 'text', nullable: true },
          { name: 'enqueued_at', type: 'time' },
          { name: 'started_at', type: 'time', nullable: true },
          { name: 'finished_at', type: 'time', nullable: true },
        ],
        primaryKey: ['id'],
      },
      {
        name: 'pgqrs_steps',
        columns: [
          { name: 'run_id', type: 'uuid' },
          { name: 'name', type: 'text' },
          { name: 'kind', type: 'text', oneOf: ['step', 'transaction', 'sleep', 'pause', 'timer'] },
          { name: 'status', type: 'text', oneOf: ['success', 'error', 'retrying'] },
          { name: 'output', type: 'text', nullable: true },
          { name: 'error', type: 'text', nullable: true },
          { name: 'failures', type: 'int', default: '0' },
          { name: 'wake_at', type: 'time', nullable: true },
          { name: 'position', type: 'int' },
          { name: 'seen', type: 'int' },
          { name: 'recorded_at', type: 'time' },
        ],
        primaryKey: ['run_id', 'name'],
      },
      {
        name: 'pgqrs_queues',
        columns: [
          { name: 'name', type: 'text' },
          { name: 'kind', type: 'text', oneOf: ['queue', 'workflow'] },
          { name: 'paused_at', type: 'time', nullable: true },
          { name: 'created_at', type: 'time' },
        ],
        primaryKey: ['name'],
      },
      {
        name: 'pgqrs_workers',
        columns: [
          { name: 'id', type: 'uuid' },
          { name: 'name', type: 'text' },
          { name: 'host', type: 'text' },
          { name: 'pid', type: 'int' },
          { name: 'queues', type: 'text' },
          {
            name: 'status',
            type: 'text',
            oneOf: ['ready', 'polling', 'suspended', 'interrupted', 'stopped'],
          },
          { name: 'started_at', type: 'time' },
          { name: 'heartbeat_at', type: 'time' },
          { name: 'stopped_at', type: 'time', nullable: true },
        ],
        primaryKey: ['id'],
        fillfactor: 50,
      },
      {
        name: 'pgqrs_tallies',
        columns: [
          { name: 'queue', type: 'text' },
          { name: 'status', type: 'text' },
          { name: 'shard', type: 'int' },
          { name: 'n', type: 'bigint' },
        ],
        primaryKey: ['queue', 'status', 'shard'],
        fillfactor: 50,
      },
    ],
    indexes: [
      {
        // Equal to the WHERE and the ORDER BY of the claim within one lane (queue, priority).
        name: 'pgqrs_messages_claim',
        table: 'pgqrs_messages',
        columns: ['queue', 'priority', 'vt', 'id'],
        where: 'finished_at is null',
      },
      {
        name: 'pgqrs_messages_key',
        table: 'pgqrs_messages',
        columns: ['queue', 'key'],
        unique: true,
        where: 'key is not null and (key_kept or finished_at is null)',
      },
      {
        name: 'pgqrs_messages_finished',
        table: 'pgqrs_messages',
        columns: ['queue', 'status', 'finished_at', 'id'],
        where: 'finished_at is not null',
      },
    ],
  },
}
