// Starts the PostgreSQL and the Kafka of a test run, or uses those of DATABASE_URL and KAFKA_BROKERS, and tells the tests where.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
// Asking whether Kafka is up warns of a negative time without the adapter's mend of kafkajs.
import '../../src/adapters/kafka-log/internals.ts'
import { startEmbeddedPostgres } from '../../src/adapters/embedded-postgres/embedded-postgres.ts'
import { HOW_TO_GET_JAVA, sharedKafka, type KafkaOfRun } from './kafka/shared.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** A server whose user may create databases; tests take one of their own from support/database.ts. */
    serverUrl: string
    /** For everybody: topics, groups and transactional ids of one's own, see support/kafka/kafka.ts. */
    kafka: KafkaOfRun
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const brokers = process.env['KAFKA_BROKERS']
  // It is meant for us: a gate under test that finds it in its own environment would leave its embedded log for it.
  for (const name of Object.keys(process.env)) if (name.startsWith('KAFKA_')) delete process.env[name]
  const [server, shared] = await Promise.allSettled([postgres(), sharedKafka(brokers)])
  const stop = async () => {
    await Promise.all([server, shared].map(async (part) => part.status === 'fulfilled' && part.value.stop()))
  }
  if (server.status === 'rejected' || shared.status === 'rejected') {
    await stop()
    throw server.status === 'rejected' ? server.reason : (shared as PromiseRejectedResult).reason
  }
  const { kafka } = shared.value
  project.provide('serverUrl', server.value.url)
  project.provide('kafka', kafka)
  sayWhatIsMissing(kafka)
  return async () => {
    await stop()
    sayWhatIsMissing(kafka)
  }
}

/** First and last, for between the two are thousands of lines. */
function sayWhatIsMissing(kafka: KafkaOfRun): void {
  const { stderr } = process
  if ('missing' in kafka)
    stderr.write(`\nNO KAFKA: no test of the gate on Kafka runs. To run them: ${kafka.missing}.\n\n`)
  else if (!kafka.ownBrokers)
    stderr.write(
      '\nNO JDK 17 WITH MAVEN: no test runs that kills or secures brokers, none on Kafka 3.9 beside that of the run, and ' +
        `none that writes or counts with Kafka's own Java client. To run them: ${HOW_TO_GET_JAVA}.\n\n`,
    )
}

async function postgres(): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const given = process.env['DATABASE_URL']
  if (given !== undefined && given !== '') return { url: given, stop: async () => {} }
  const dataDir = mkdtempSync(join(tmpdir(), 'touchstone-test-'))
  const server = await startEmbeddedPostgres({
    dataDir,
    log: () => {},
    // Its data never outlive the run. TOUCHSTONE_TEST_FSYNC=on makes it as slow and as durable as production.
    settings: { fsync: process.env['TOUCHSTONE_TEST_FSYNC'] ?? 'off', max_connections: '200' },
  })
  const forget = dieWithUs(server.pid, dataDir)
  return {
    url: server.url,
    stop: async () => {
      await server.stop()
      forget()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

/**
 * The server is in a session of its own and would outlive a killed test run. A shell waits for the end of a pipe that
 * only we hold: whatever ends us closes it, and the shell then ends the server and removes its data.
 */
function dieWithUs(pid: number, dataDir: string): () => void {
  const script = 'read -r done; [ "$done" = done ] && exit; kill -QUIT "$1"; sleep 1; rm -rf "$2"'
  const watch = spawn('/bin/sh', ['-c', script, 'sh', String(pid), dataDir], {
    detached: true,
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  watch.unref()
  watch.stdin.on('error', () => {})
  return () => watch.stdin.end('done\n')
}
