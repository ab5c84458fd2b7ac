import type { Fault } from './fault.js'

/** The server, or what stands before it, answers with an error of its own. */
export const http5xx: Fault = {
  name: 'http-5xx',
  stores: ['turso'],
  strikes: 'database',
  lastsMs: 3000,
  async strike({ database: { libsql }, pause }, dice) {
    if (libsql === undefined) throw new Error('http-5xx needs a libSQL server')
    try {
      for (let i = 0; i < 6; i++) {
        libsql.fail({ status: dice.pick([500, 502, 503, 504, 429]), count: dice.whole(1, 10) })
        await pause(dice.whole(100, 500))
      }
    } finally {
      libsql.fail({ count: 0 })
    }
  },
}

/** Answers are late, some by more than a lease. */
export const httpSlow: Fault = {
  name: 'http-slow',
  stores: ['turso'],
  strikes: 'database',
  lastsMs: 4000,
  async strike({ database: { libsql }, pause }, dice) {
    if (libsql === undefined) throw new Error('http-slow needs a libSQL server')
    try {
      for (let i = 0; i < 4; i++) {
        libsql.fail({ delayMs: dice.pick([50, 200, 1000, 2500]), count: dice.whole(2, 10) })
        await pause(dice.whole(400, 1000))
      }
    } finally {
      libsql.fail({ count: 0 })
    }
  },
}
