/** Prints lines, one of them on standard error, and ends when told to by its argument. */
const [, , last = 'forever', code = '0'] = process.argv
console.log('ready')
for (const line of ['one', 'two', 'three']) console.log(line)
console.error('a complaint')
if (last === 'forever') setInterval(() => {}, 1000)
else process.exitCode = Number(code)
