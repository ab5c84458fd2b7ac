/** The engine over virtual time and a network that delays, loses and crashes, by seed. */
export { schedules, type Schedule } from './schedule.js'
export { Simulator, type Outcome, type SimulateOptions } from './simulate.js'
export { sabotages, type SabotageName } from './sabotage.js'
