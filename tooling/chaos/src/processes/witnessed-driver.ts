import type { HistoryWriter } from '@pgqrs/checker'
import type { Driver, Row, Statement } from '@pgqrs/core/driver'
import { transitionOf, type Transition } from '../../../conformance/src/crash-points.js'
import { interpose } from '../../../conformance/src/interpose.js'
import { mono } from './setup.js'

/** One grant of a lease to this process. */
export interface Grant {
  readonly lease: string
  /** Grants of the message so far, this one included. */
  readonly claims: number
}

const writes: Partial<Record<Transition, 'finish' | 'release' | 'extend' | 'delete' | 'record'>> = {
  finish: 'finish',
  release: 'release',
  extend: 'extend',
  delete: 'delete',
  record: 'record',
}
const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g

/** For `connect({ wrapDriver })`: sees which leases this process is granted and which of its writes took effect. */
export class Witness {
  /** By message, the latest last. */
  private readonly grants = new Map<string, Grant[]>()

  constructor(private readonly history: HistoryWriter) {}

  /** The latest grant on a message. @throws Error when this process never had one */
  grant(id: string): Grant {
    const grant = this.grants.get(id)?.at(-1)
    if (grant === undefined) throw new Error(`no lease on ${id} was ever granted to this process`)
    return grant
  }

  readonly wrapDriver = (driver: Driver): Driver =>
    interpose(driver, {
      execute: async (statements) => {
        const sentMono = mono()
        const rows = await driver.execute(statements)
        this.answered(statements, rows, sentMono)
        return rows
      },
      transaction: async (plan) => {
        const sentMono = mono()
        let after: readonly Statement[] = []
        let answers: Row[][] = []
        const value = await driver.transaction({
          ...plan,
          after: (result) => {
            after = plan.after(result)
            return [...after]
          },
          checkAfter: (rows) => {
            answers = rows
            plan.checkAfter(rows)
          },
        })
        this.answered(after, answers, sentMono)
        return value
      },
    })

  private answered(
    statements: readonly Statement[],
    answers: readonly (readonly Row[])[],
    sentMono: number,
  ): void {
    statements.forEach((statement, i) => {
      const transition = transitionOf(statement)
      const rows = answers[i] ?? []
      if (transition === 'claim' || transition === 'recover') this.granted(statement, rows)
      if (transition === 'handOver') this.handedOver(rows)
      const write = transition && writes[transition]
      if (write === undefined) return
      const uuids = uuidsOf(statement)
      for (const row of rows) this.accepted(write, row, uuids, sentMono)
    })
  }

  private accepted(
    write: NonNullable<(typeof writes)[Transition]>,
    row: Row,
    uuids: ReadonlySet<string>,
    sentMono: number,
  ): void {
    const id = text(row['id'] ?? row['run_id'])
    // Nobody but the engine knows how a batch carries which lease: it is one that was granted here.
    const [grant, another] = this.grants.get(id)?.filter(({ lease }) => uuids.has(lease)) ?? []
    // Two holds of this process on one message in one batch: whose was accepted cannot be told.
    if (grant === undefined || another !== undefined) return
    const step = row['name'] === undefined ? {} : { step: text(row['name']) }
    this.history.append({ kind: 'accepted', write, id, lease: grant.lease, sentMono, ...step })
  }

  private granted(statement: Statement, rows: readonly Row[]): void {
    const ids = new Set(rows.map((row) => text(row['id'])))
    // The lease comes first, then the worker.
    const lease = [...uuidsOf(statement)].find((uuid) => !ids.has(uuid)) ?? ''
    for (const row of rows) this.note(text(row['id']), { lease, claims: Number(row['claims']) })
  }

  private handedOver(rows: readonly Row[]): void {
    for (const { id, lease_id: lease } of rows)
      if (lease !== null) this.note(text(id), { lease: text(lease), claims: 1 })
  }

  private note(id: string, grant: Grant): void {
    this.grants.set(id, [...(this.grants.get(id) ?? []), grant])
  }
}

function uuidsOf(statement: Statement): Set<string> {
  return new Set(
    statement.parameters.flatMap((parameter) =>
      typeof parameter === 'string' ? (parameter.match(UUID) ?? []) : [],
    ),
  )
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
