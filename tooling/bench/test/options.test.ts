import { describe, expect, it } from 'vitest'
import { readOptions, usage, UsageError } from '../src/options.js'
import { scenarioNames } from '../src/system.js'

describe('the arguments of the bench', () => {
  it('without any, everything is measured in three rounds', () => {
    expect(readOptions([])).toEqual({
      only: scenarioNames,
      systems: undefined,
      stores: ['postgres', 'sqlite'],
      rounds: 3,
      quick: false,
      json: undefined,
      docs: false,
      staleBuild: false,
      help: false,
    })
  })

  it('a quick run has one round, unless it is told otherwise', () => {
    expect(readOptions(['--quick']).rounds).toBe(1)
    expect(readOptions(['--quick', '--rounds', '2']).rounds).toBe(2)
  })

  it('reads lists, in the order in which things are measured', () => {
    const options = readOptions(['--only', 'D, E1', '--systems', 'pgqrs,limit', '--store', 'sqlite'])
    expect(options).toMatchObject({ only: ['E1', 'D'], systems: ['pgqrs', 'limit'], stores: ['sqlite'] })
  })

  it.each([
    [['--only', 'E1,X9'], `there is no scenario X9; there are ${scenarioNames.join(', ')}`],
    [['--store', 'mysql'], 'there is no store mysql; there are postgres, sqlite'],
    [['--only', ''], `there is no scenario in the list; there are ${scenarioNames.join(', ')}`],
    [['--rounds', '0'], '--rounds takes a whole number from 1 on, and not 0'],
    [['--rounds', 'many'], '--rounds takes a whole number from 1 on, and not many'],
    [['--docs', '--stale-build'], '--docs publishes what is built: it takes no --stale-build'],
    [['--docs', '--quick'], '--docs publishes a whole run: it takes no --quick'],
    [['--fast'], "Unknown option '--fast'"],
    [['E1'], "Unexpected argument 'E1'"],
  ])('refuses %j', (args, message) => {
    expect(() => readOptions(args)).toThrow(UsageError)
    expect(() => readOptions(args)).toThrow(message)
  })

  it('the help names every option there is', () => {
    for (const name of [
      'only',
      'systems',
      'store',
      'rounds',
      'quick',
      'json',
      'docs',
      'stale-build',
      'help',
    ]) {
      expect(usage).toContain(`--${name}`)
    }
  })
})
