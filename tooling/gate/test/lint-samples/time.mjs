import { bad, core, good } from './sample.mjs'

const syntax = 'no-restricted-syntax'
const property = 'no-restricted-properties'
export const time = [
  bad('Date.now', `${core}/queue/*.ts`, property, 'Clock', 'export const t = Date.now()'),
  bad('performance.now', `${core}/queue/*.ts`, property, 'Clock', 'export const t = performance.now()'),
  bad(
    'AbortSignal.timeout',
    `${core}/worker/*.ts`,
    property,
    'Clock',
    'export const s = AbortSignal.timeout(1)',
  ),
  bad('Math.random', `${core}/*.ts`, property, 'Random', 'export const r = Math.random()'),
  bad('crypto.randomUUID', `${core}/*.ts`, property, 'Random', 'export const r = crypto.randomUUID()'),
  bad(
    'randomUUID imported',
    `${core}/worker/*.ts`,
    syntax,
    'Random',
    "import { randomUUID } from 'node:crypto'\nrandomUUID()",
  ),
  bad(
    'globalThis.setTimeout',
    `${core}/*.ts`,
    property,
    'Clock',
    'globalThis.setTimeout(() => undefined, 1)',
  ),
  bad('new Date()', `${core}/db/*.ts`, syntax, 'Clock', 'export const t = new Date()'),
  good('new Date(number)', `${core}/db/*.ts`, syntax, 'export const t = new Date(0)'),
  bad(
    'node:timers',
    `${core}/worker/*.ts`,
    syntax,
    'Clock',
    "import { setTimeout } from 'node:timers/promises'\nawait setTimeout(1)",
  ),
  bad('process.nextTick', `${core}/*.ts`, property, 'Clock', 'process.nextTick(() => undefined)'),
  bad(
    'node:perf_hooks',
    `${core}/config/*.ts`,
    syntax,
    'Clock',
    "import { performance } from 'node:perf_hooks'\nexport const t = performance.now()",
  ),
  bad('uuid', `${core}/queue/*.ts`, syntax, 'Random', "import { v7 } from 'uuid'\nexport const id = v7()"),
  good('uuid in random', `${core}/random.ts`, syntax, "import { v7 } from 'uuid'\nexport const id = v7()"),
  ...['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'].map((name) =>
    bad(name, `${core}/worker/*.ts`, 'no-restricted-globals', 'Clock', `export const t = ${name}`),
  ),
  good('time in the clock', `${core}/clock.ts`, property, 'export const t = Date.now()'),
  good('new Date() in the clock', `${core}/clock.ts`, syntax, 'export const t = new Date()'),
  good('timers in the clock', `${core}/clock.ts`, 'no-restricted-globals', 'export const t = setTimeout'),
  good('chance in random', `${core}/random.ts`, property, 'export const t = Math.random()'),
  good('time in a driver', 'packages/postgres/src/*.ts', property, 'export const t = Date.now()'),
]
