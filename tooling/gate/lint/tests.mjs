// A test that is left out must say why, in a way the gate can count and print.
const suite = '/^(it|test|describe|suite|bench)$/'
const member = (names) =>
  [`object.name=${suite}`, `object.object.name=${suite}`]
    .map((of) => `MemberExpression[property.name=${names}][${of}]`)
    .join(', ')

export const testSyntax = [
  { selector: member('/^only$/'), message: 'One test alone is for your editor; the gate runs them all.' },
  {
    selector: `${member('/^(skip|skipIf|runIf|todo)$/')}, CallExpression[callee.name=/^(xit|xtest|xdescribe)$/]`,
    message:
      "Say why: skip from the test's context, `it('…', ({ skip }) => { skip(condition, 'the reason') })`, or in beforeEach for a whole describe.",
  },
  {
    selector:
      "CallExpression[callee.name='skip'][arguments.length=0], CallExpression[callee.property.name='skip'][callee.object.name=/^(ctx|context|task)$/][arguments.length=0]",
    message: 'A skip needs its reason: skip(condition, "the reason").',
  },
]
