import { lintConfig } from './tooling/gate/lint/config.mjs'

export default lintConfig(import.meta.dirname)
