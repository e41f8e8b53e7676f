// A process that starts a broker and forgets it, to be killed by its test: says which process the broker is.
import { startCluster } from '../support/kafka/broker.ts'

const { nodes } = await startCluster()
process.stdout.write(`${nodes[0]?.pid()}\n`)
setInterval(() => {}, 60_000)
