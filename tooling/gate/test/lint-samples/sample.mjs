// Small files, each with the rule that must (or must not) report it, how often, and a word of the message.
export const core = 'packages/core/src'
let number = 0

function sample(title, path, rule, reports, says, code) {
  // Each sample has a file of its own, so that several can stand in one folder.
  number += 1
  return { title, path: path.replace('*', `sample-${number}`), rule, reports, says, code }
}
export const bad = (title, path, rule, says, code) => sample(`reports ${title}`, path, rule, 1, says, code)
export const good = (title, path, rule, code) => sample(`allows ${title}`, path, rule, 0, '', code)
