/** Code that a process ends with when a poison message made it end. */
export const POISONED = 86
