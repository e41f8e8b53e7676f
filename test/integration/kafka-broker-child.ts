// A process that starts a broker, or a program that would last, and forgets it; to be killed by its test.
import { startCluster } from '../support/kafka/broker.ts'
import { startGuarded } from '../support/kafka/guarded.ts'

const started =
  process.argv[2] === 'sleep'
    ? (await startGuarded('sleep', ['600'], '/dev/null')).pid
    : (await startCluster()).nodes[0]?.pid()
process.stdout.write(`${started}\n`)
setInterval(() => {}, 60_000)
