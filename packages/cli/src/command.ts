import { InvalidArgumentError, type Command } from 'commander'

/** The id in examples. */
export const EXAMPLE_ID = '01936b7e-6f6a-7c3e-9d0a-1f2e3d4c5b6a'

/** A command as its help shows it. */
export interface CommandText {
  /** Name and arguments, such as `pause <name>`. */
  readonly usage: string
  readonly description: string
  /** Command lines without `pgqrs`. */
  readonly examples: readonly string[]
}

/** Adds a command below another. Its help ends with the examples. */
export function addCommand(parent: Command, { usage, description, examples }: CommandText): Command {
  const lines = examples.map((example) => `  $ pgqrs ${example}`)
  return parent
    .command(usage)
    .description(description)
    .addHelpText('after', ['', 'Examples:', ...lines].join('\n'))
}

/** Adds a group of commands; called without one of them it shows its help. */
export function addGroup(parent: Command, text: CommandText): Command {
  return addCommand(parent, text).helpCommand(false)
}

/**
 * Reads an option that is a whole number.
 * @throws commander's InvalidArgumentError, which names the option and what was given
 */
export function wholeNumber(text: string): number {
  const number = Number(text)
  if (text.trim() !== '' && Number.isInteger(number)) return number
  throw new InvalidArgumentError('It must be a whole number.')
}
