// A process that runs the embedded PostgreSQL, to be killed by its tests: says where the server is, then waits for `stop`.
import { messageOf, TouchstoneError } from '../../../src/errors.ts'
import { startEmbeddedPostgres } from '../../../src/adapters/embedded-postgres/embedded-postgres.ts'

const [dataDir = '', settings = '{}'] = process.argv.slice(2)
const say = (line: unknown) => process.stdout.write(`${JSON.stringify(line)}\n`)
// A terminal sends Ctrl-C to the whole group; this process goes on, as Touchstone does while it drains.
process.on('SIGINT', () => say({ interrupted: true }))
try {
  const server = await startEmbeddedPostgres({
    dataDir,
    settings: JSON.parse(settings) as Record<string, string>,
    log: (message) => say({ log: message }),
  })
  say({ url: server.url, pid: server.pid, adopted: server.adopted })
  process.stdin.once('data', (asked: Buffer) => {
    if (asked.toString().startsWith('crash')) throw new Error('nobody catches this')
    void server.stop().then(() => process.exit(0))
  })
} catch (error) {
  say({ failed: error instanceof TouchstoneError ? error.code : 'unexpected', message: messageOf(error) })
  process.exitCode = 1
}
