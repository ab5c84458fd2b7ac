import type { TcpProxy } from '@pgqrs/test-database'
import type { Dice } from '../dice.js'
import type { Fault, Field } from './fault.js'

/** A fault of the proxy between the load and its server, which heals at its end. */
function onTheWay(
  name: string,
  lastsMs: number,
  strike: (proxy: TcpProxy, field: Field, dice: Dice) => Promise<void>,
): Fault {
  return {
    name,
    stores: ['postgres', 'turso'],
    strikes: 'database',
    lastsMs,
    async strike(field, dice) {
      const { proxy } = field.database
      if (proxy === undefined) throw new Error(`${name} needs a proxy`)
      try {
        await strike(proxy, field, dice)
      } finally {
        await proxy.heal()
      }
    },
  }
}

/** Everything takes long, for as long as some leases. */
export const netDelay = onTheWay('net-delay', 5000, async (proxy, { pause }, dice) => {
  proxy.delay(dice.whole(50, 250))
  await pause(dice.whole(1000, 5000))
})

/** Every connection is reset, several times in a row. */
export const netCut = onTheWay('net-cut', 2500, async (proxy, { pause }, dice) => {
  for (let i = 0; i < dice.whole(1, 6); i++) {
    proxy.cutAll()
    await pause(dice.whole(20, 400))
  }
})

/** Nothing gets through, and no connection ends. */
export const netHalfOpen = onTheWay('net-half-open', 4000, async (proxy, { pause }, dice) => {
  proxy.halfOpen()
  await pause(dice.whole(500, 4000))
  // What waited is lost or arrives late.
  if (dice.chance(0.5)) proxy.cutAll()
})

/** Bytes flow in one direction only. */
export const netOneWay = onTheWay('net-one-way', 4000, async (proxy, { pause }, dice) => {
  proxy.oneWay(dice.pick(['toServer', 'toClient']))
  await pause(dice.whole(500, 4000))
  if (dice.chance(0.5)) proxy.cutAll()
})

/** Nobody is let in, and who is in is thrown out. */
export const netRefuse = onTheWay('net-refuse', 3000, async (proxy, { pause }, dice) => {
  proxy.refuse()
  proxy.cutAll()
  await pause(dice.whole(300, 3000))
})
