import type { Fault } from './fault.js'

// As the statements begin, with or without the wrapping that counts.
const statements = {
  commit: /^commit$/i,
  finish: /update "pgqrs_messages" set\s+status = case when pgqrs_messages\.status = 'cancelling'/,
  claim: /^with recursive/,
  record: /^insert into "pgqrs_steps"/,
  enqueue: /insert into "pgqrs_messages"/,
}

/** The server executes a statement, COMMIT above all, and its answer never arrives. */
export const lostAnswers: Fault = {
  name: 'lost-answers',
  stores: ['postgres'],
  strikes: 'database',
  lastsMs: 3000,
  weight: 2,
  async strike({ database: { proxy }, pause }, dice) {
    if (proxy === undefined) throw new Error('lost-answers needs a proxy')
    try {
      for (let i = 0; i < 4; i++) {
        const name = dice.pick(['commit', 'commit', 'finish', 'claim', 'record', 'enqueue'] as const)
        void proxy.dropAnswerTo(statements[name], { times: dice.whole(1, 2) })
        await pause(700)
      }
    } finally {
      await proxy.heal()
    }
  },
}

/** The same over HTTP, where a request is a whole transaction or a part of one. */
export const lostRequests: Fault = {
  name: 'lost-requests',
  stores: ['turso'],
  strikes: 'database',
  lastsMs: 3000,
  weight: 2,
  async strike({ database: { libsql }, pause }, dice) {
    if (libsql === undefined) throw new Error('lost-requests needs a libSQL server')
    try {
      for (let i = 0; i < 8; i++) {
        libsql.fail({ drop: dice.pick(['answer', 'answer', 'request']), count: dice.whole(1, 3) })
        await pause(350)
      }
    } finally {
      libsql.fail({ count: 0 })
    }
  },
}
