import type { Databases } from './databases.js'
import { RemoteSession } from './remote-session.js'
import type { BenchDatabase, System } from './system.js'

/** A database that is copied for every measurement. */
export interface Template {
  readonly database: BenchDatabase
  /** How many messages wait in it. */
  readonly backlog: number
}

/** The databases every measurement begins with: made once for each system, copied each time. */
export class Templates {
  private readonly made = new Map<string, Promise<Template>>()

  /**
   * A database with the system installed and so many messages waiting.
   * @throws {Error} what the system says, every time again.
   */
  for(system: System, databases: Databases, backlog: number): Promise<Template> {
    const key = `${databases.store} ${system.name} ${system.configuration} ${backlog}`
    const known = this.made.get(key)
    if (known !== undefined) return known
    const making = this.make(system, databases, backlog)
    this.made.set(key, making)
    return making
  }

  private async make(system: System, databases: Databases, backlog: number): Promise<Template> {
    const database = await databases.create()
    const { name, configuration } = system
    await RemoteSession.prepare({ system: name, configuration, database, backlog })
    const found = await databases.count(database, system.backlogSql('messages', databases.store))
    if (backlog > 0 && found === 0) throw new Error('the backlog could not be put there')
    await databases.settle(database)
    return { database, backlog: found }
  }
}
