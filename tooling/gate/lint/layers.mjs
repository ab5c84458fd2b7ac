// Who may import whom inside packages/core/src: db → queries → store → queue, worker, admin → workflow → api → the entries.
// Whatever is not named here is a leaf (errors, clock, codec, names…): every layer may import it, and it imports
// nothing but leaves.
const mayImport = {
  db: [],
  queries: ['db'],
  transaction: ['db'],
  store: ['db', 'queries', 'transaction'],
  queue: ['store', 'transaction'],
  worker: ['store', 'queue'],
  admin: ['store', 'queue'],
  workflow: ['store', 'queue', 'worker', 'transaction'],
  api: ['db', 'store', 'queue', 'worker', 'admin', 'workflow', 'transaction'],
  testing: ['db', 'queries', 'transaction', 'workflow', 'api'],
}
/** Files of the root that put the layers together; no layer imports them. */
const entries = ['index', 'driver']

const layers = Object.keys(mayImport)

/** Import restrictions for eslint-plugin-import-x, as absolute globs. */
export function coreLayers(root) {
  const src = `${root}/packages/core/src`
  // The rule wants every exception to be a glob, also the one that names a single file.
  const own = (layer) => [`${src}/${layer}/**/*`, `${src}/${layer}.@(ts)`]
  const leaves = [`${src}/!(${[...entries, ...layers].join('|')}).ts`, `${src}/!(${layers.join('|')})/**/*`]
  const zone = (target, allowed, message) => ({
    target,
    from: `${src}/**/*`,
    except: [...leaves, ...allowed],
    message,
  })

  const zones = layers.map((layer) =>
    zone(
      own(layer),
      [layer, ...mayImport[layer]].flatMap(own),
      `${layer} may import only ${[...mayImport[layer], 'leaf files'].join(', ')} ` +
        '(db → queries → store → queue, worker, admin → workflow; tooling/gate/lint/layers.mjs).',
    ),
  )
  const leafMessage =
    'A file outside the layers is a leaf and may import only leaves. If it is a layer of its own, name it in tooling/gate/lint/layers.mjs.'
  return { basePath: root, zones: [...zones, zone(leaves, [], leafMessage)] }
}
