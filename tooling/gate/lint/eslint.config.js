import { fileURLToPath } from 'node:url'
import { lintConfig } from './config.mjs'

export default lintConfig(fileURLToPath(new URL('../../..', import.meta.url)))
