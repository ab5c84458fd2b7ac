import { connect } from '../../src/index.js'

const store = await connect({ dsn: process.argv[2] ?? '', maxConnections: 4 })
await store.admin.install()
await store.close()
console.log('closed')
