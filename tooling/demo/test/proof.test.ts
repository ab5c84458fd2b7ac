import { describe, expect, it } from 'vitest'
import { check, type Evidence } from '../src/proof.js'
import { stepsOf } from '../src/witness.js'

const paths = ['a.md', 'b.md', 'c.md']
const result = { archive: '/tmp/archive.zip', files: 3, bytes: 900, sha256: 'zip' }
const files = new Map(paths.map((path) => [path, `sha of ${path}`]))
const [killed, successor] = [11, 22]

/** Killed when a.md was done and the sha256 of b.md was running. */
const good: Evidence = {
  runId: 'run-1',
  killed,
  successor,
  result,
  files,
  recordedAtKill: ['list_files', 'file[0]/size', 'file[0]/sha256', 'file[1]/size'],
  recorded: stepsOf(paths),
  bodies: [
    ...['list_files', 'size a.md', 'sha256 a.md', 'size b.md', 'sha256 b.md'].map((body) => ({
      pid: killed,
      body,
    })),
    ...['sha256 b.md', 'size c.md', 'sha256 c.md', 'pack', 'record', 'notify'].map((body) => ({
      pid: successor,
      body,
    })),
  ],
  rows: [{ run_id: 'run-1', ...result }],
  archives: [{ sha256: 'zip', entries: files }],
  notifications: [{ payload: { runId: 'run-1', ...result } }],
}

/** What each check that fails finds wrong. */
function wrong(changes: Partial<Evidence>): string[] {
  return check({ ...good, ...changes }).flatMap((one) => one.wrong.map((text) => `${one.what}: ${text}`))
}

function without(body: string): Evidence['bodies'] {
  return good.bodies.filter((run) => run.body !== body)
}

describe('the proof', () => {
  it('holds for a run that went as it should', () => {
    expect(check(good).map(({ what }) => what)).toEqual([
      '4 steps recorded before the kill',
      '1 step running at the kill',
      '5 steps begun after the kill',
      '11 checkpoints of the run',
      '1 row in demo_archives',
      '1 archive on disk',
      '1 notification in its queue',
      '1 result of the run',
    ])
    expect(wrong({})).toEqual([])
  })

  const sabotage: [string, Partial<Evidence>, string[]][] = [
    [
      'a recorded body runs again',
      { bodies: [...good.bodies, { pid: successor, body: 'size a.md' }] },
      ['4 steps recorded before the kill: file[0]/size ran in 11, 22'],
    ],
    [
      'a body runs twice in the successor',
      { bodies: [...good.bodies, { pid: successor, body: 'pack' }] },
      ['5 steps begun after the kill: pack ran in 22, 22'],
    ],
    [
      'a body never ran',
      { bodies: without('record') },
      ['5 steps begun after the kill: record ran in no process'],
    ],
    [
      'a running body was not repeated',
      { bodies: good.bodies.filter((run) => run.pid === killed || run.body !== 'sha256 b.md') },
      ['1 step running at the kill: file[1]/sha256 ran in 11'],
    ],
    [
      'the dead process lives on',
      { bodies: [...good.bodies, { pid: killed, body: 'notify' }] },
      ['2 steps running at the kill: notify ran in 22, 11'],
    ],
    [
      'nothing was running at the kill',
      { bodies: [...good.bodies.slice(0, 4), ...good.bodies.slice(5)] },
      ['0 steps running at the kill: there is no such step: the kill came at a moment that shows nothing'],
    ],
    [
      'a body ran that no step has',
      { bodies: [...good.bodies, { pid: successor, body: 'size d.md' }] },
      ['11 checkpoints of the run: size d.md ran in 22'],
    ],
    [
      'a checkpoint is missing',
      { recorded: stepsOf(paths).filter((step) => step !== 'cool_down') },
      ['11 checkpoints of the run: cool_down is not recorded'],
    ],
    [
      'there is a checkpoint too many',
      { recorded: [...stepsOf(paths), 'notify#2'] },
      ['11 checkpoints of the run: notify#2 is recorded'],
    ],
    ['there is no row', { rows: [] }, ['1 row in demo_archives: there are 0 rows']],
    [
      'there are two rows',
      { rows: [...good.rows, ...good.rows] },
      ['1 row in demo_archives: there are 2 rows'],
    ],
    [
      'the row is of another archive',
      { rows: [{ run_id: 'run-1', ...result, sha256: 'other' }] },
      ['1 row in demo_archives: a row says sha256 other…'],
    ],
    [
      'the row is of another run',
      { rows: [{ run_id: 'run-2', ...result }] },
      ['1 row in demo_archives: a row is of run run-2'],
    ],
    [
      'there is no archive',
      { archives: [] },
      [
        '1 archive on disk: there are 0 files in the folder of archives',
        '1 result of the run: there is no such archive',
      ],
    ],
    [
      'something half-written lies beside the archive',
      { archives: [...good.archives, { sha256: 'zip', entries: files }] },
      ['1 archive on disk: there are 2 files in the folder of archives'],
    ],
    [
      'a file in the archive differs',
      { archives: [{ sha256: 'zip', entries: new Map([...files, ['b.md', 'something else']]) }] },
      ['1 archive on disk: b.md differs'],
    ],
    [
      'a file is missing in the archive and another is there',
      { archives: [{ sha256: 'zip', entries: new Map([...[...files].slice(1), ['x.md', 'sha of x.md']]) }] },
      ['1 archive on disk: a.md is not in it', '1 archive on disk: x.md is in it'],
    ],
    [
      'there is no notification',
      { notifications: [] },
      ['1 notification in its queue: there are 0 messages in the queue'],
    ],
    [
      'there are two notifications',
      { notifications: [...good.notifications, ...good.notifications] },
      ['1 notification in its queue: there are 2 messages in the queue'],
    ],
    [
      'the notification is of another run',
      { notifications: [{ payload: { runId: 'run-2', ...result } }] },
      ['1 notification in its queue: a message says something else'],
    ],
    [
      'the result is not the archive',
      { result: { ...result, files: 2 } },
      ['1 notification in its queue: a message says something else', '1 result of the run: it says 2 files'],
    ],
  ]
  it.each(sabotage)('fails when %s', (_what, changes, expected) => {
    expect(wrong(changes)).toEqual(expected)
  })
})
