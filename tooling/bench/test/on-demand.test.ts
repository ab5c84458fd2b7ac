import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { onDemandFolder } from '../src/on-demand.js'
import { scenarioNames } from '../src/system.js'
import { allSystems, ownNames } from '../src/systems.js'

interface Manifest {
  optionalDependencies?: Record<string, string>
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
}

const manifest = JSON.parse(readFileSync(`${onDemandFolder}package.json`, 'utf8')) as Manifest
const workspace = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as Manifest

describe('what is installed on demand', () => {
  it('is all optional, in exact versions', () => {
    expect(manifest.dependencies).toBeUndefined()
    const versions = Object.values(manifest.optionalDependencies ?? {})
    expect(versions.filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([])
  })

  it('has every rival, and the workspace has none of them', async () => {
    const systems = await allSystems()
    const rivals = systems.filter(({ name, stores, supports }) => {
      const answers = stores.flatMap((store) => scenarioNames.map((scenario) => supports(scenario, store)))
      // One that npm does not have can only say why.
      return !ownNames.includes(name) && answers.includes(true)
    })
    const packages = [...new Set(rivals.map(({ packageName }) => packageName))]
    expect(packages.length).toBeGreaterThan(4)
    expect(packages.filter((name) => !(name in (manifest.optionalDependencies ?? {})))).toEqual([])
    const installed = { ...workspace.dependencies, ...workspace.devDependencies }
    expect(packages.filter((name) => name in installed)).toEqual([])
  })
})

describe('systems', () => {
  it('have one configuration that is the best, and at most one default', async () => {
    const systems = await allSystems()
    for (const name of new Set(systems.map((system) => system.name))) {
      const configurations = systems
        .filter((system) => system.name === name)
        .map((each) => each.configuration)
      expect(configurations.filter((each) => each === 'best')).toEqual(['best'])
      expect(configurations.filter((each) => each === 'default').length).toBeLessThan(2)
    }
  })
})
