import { everyStore } from '../faults/fault.js'
import type { Sabotage } from './sabotage.js'

/** Steps of one name are one step, whatever their keys say. */
export const ignoreStepKey: Sabotage = {
  breaks: 'steps side by side that only differ in their keys are one step',
  violates: ['W2'],
  stores: everyStore,
  load: { transfer: 1 },
  faults: [],
  workers: 1,
  seconds: 3,
  sharesKeyedSteps: true,
}
