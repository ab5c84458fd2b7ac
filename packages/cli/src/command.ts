import type { Command } from 'commander'

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
