// Real: the programs of the README as they stand there, the whole gate, PostgreSQL, Kafka and its own console tools. Only addresses and names are this run's.
import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { kafkaJars, type Jars } from '../support/kafka/jars.ts'
import { findJava, type Java } from '../support/kafka/java-home.ts'
import { javaOrSkip, kafkaOrSkip, uniqueName } from '../support/kafka/kafka.ts'
import { runProgram } from '../support/kafka/program.ts'
import { startGateUnderTest, type GateUnderTest } from '../support/running-gate.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const brokers = kafkaOrSkip()

/** The block of the README that holds `mark`. */
function snippet(language: string, mark: string): string {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const blocks = [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))]
  const found = blocks.map(([, code = '']) => code).filter((code) => code.includes(mark))
  expect(found).toHaveLength(1)
  return found[0] ?? ''
}

const ADDRESS = '127.0.0.1:19092'
/** A Java program takes seconds to begin, and many of them on a busy machine. */
const PATIENCE_MS = 120_000
const CONSOLE = {
  producer: 'org.apache.kafka.tools.ConsoleProducer',
  consumer: 'org.apache.kafka.tools.consumer.ConsoleConsumer',
} as const

describe.runIf(brokers !== undefined)('the README to users of Kafka', { timeout: PATIENCE_MS }, () => {
  let under: GateUnderTest | undefined
  let folder = ''
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'touchstone-readme-'))
    under = await startGateUnderTest({}, undefined, brokers)
  })
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true })
    await under?.stop()
  })

  /** The code with the broker, topics and groups of this run; each must be named in it, or it would run elsewhere. */
  function here(code: string, ...groups: string[]): string {
    if (under === undefined) throw new Error('the gate did not start')
    const { listings, decisions } = under.gate.topics
    const names: [string, string][] = [
      [ADDRESS, brokers?.[0] ?? ''],
      ['touchstone.listings.v1', listings],
      ['touchstone.decisions.v1', decisions],
      ...groups.map((group): [string, string] => [group, uniqueName(group)]),
    ]
    for (const [name] of names) expect(code).toContain(name)
    return names.reduce((text, [name, now]) => text.replaceAll(name, now), code)
  }

  describe.runIf(brokers !== undefined && javaOrSkip())("with Kafka's own jars", () => {
    let java: Java | undefined
    let jars: Jars | undefined
    const tool = () => {
      if (java === undefined || jars === undefined) throw new Error('Java is missing')
      return {
        program: join(java.home, 'bin', 'java'),
        options: ['-Xmx128m', '-XX:TieredStopAtLevel=1', jars.logging, '-cp', jars.classpath],
      }
    }
    beforeAll(async () => {
      java = await findJava()
      // Clients of the newer version, also to an older broker: the older jars have no console consumer.
      if (java !== undefined) jars = await kafkaJars('4.1.2', java)
    })

    // First: whoever reads the README ends the reader with Ctrl-C, here it ends after the first decision in the topic.
    it('the console tools: a listing in, its decision out', async () => {
      const { program, options } = tool()
      for (const [name, main] of Object.entries(CONSOLE)) {
        const path = join(folder, `kafka-console-${name}.sh`)
        const words = [program, ...options, main].map((word) => `'${word}'`).join(' ')
        writeFileSync(path, `#!/bin/sh\nexec ${words} "$@"\n`)
        chmodSync(path, 0o755)
      }
      const script = here(snippet('sh', 'kafka-console-producer.sh')).trimEnd()
      const { out } = await runProgram(
        'sh',
        ['-c', `PATH='${folder}':"$PATH"\n${script} --max-messages 1`],
        'the console tools',
      )
      const [, headers = '', value = '{}'] = /^(\S+)\tL-2\t(.*)$/m.exec(out) ?? []
      expect(headers).toContain('ce_type:touchstone.listing.decided.v1')
      expect(JSON.parse(value)).toMatchObject({ listingId: 'L-2', revision: 1, stage: 'screening', outcome: 'block' })
    })

    it('the console tools with headers: the listing is withdrawn', async () => {
      const said = /^With headers, `(--property .+?)` and `(ce_.+?\|)` before the key\./m
      const [, more = '', headers = ''] = said.exec(readFileSync(join(root, 'README.md'), 'utf8')) ?? []
      expect(headers).toContain('listing.submitted.v1')
      const withdrawn = `${headers.replace('submitted', 'withdrawn')}L-2|{"listingId":"L-2","revision":1}`
      // The producer alone, with another record and the headers' options after its own.
      const [producer = ''] = here(snippet('sh', 'kafka-console-producer.sh')).split('\n\n')
      const script = producer.replace(/'L-2\|.*'(?= \|$)/m, `'${withdrawn}'`)
      expect(script).toContain(withdrawn)
      await runProgram('sh', ['-c', `PATH='${folder}':"$PATH"\n${script} ${more}`], 'the console tools with headers')
      const { reader } = under?.gate ?? {}
      await under?.until('it is withdrawn', async () => (await reader?.history('L-2'))?.current.withdrawnRevision === 1)
    })

    it('Java: a listing in, its decision out', async () => {
      const file = join(folder, 'Try.java')
      writeFileSync(file, here(snippet('java', 'class Try'), 'shop-floor-java'))
      const { program, options } = tool()
      const { out } = await runProgram(program, [...options, file], 'the Java program')
      const [, value = '{}'] = /^L-4 (.*)$/m.exec(out) ?? []
      expect(JSON.parse(value)).toMatchObject({ listingId: 'L-4', revision: 1, stage: 'screening', outcome: 'block' })
    })
  })

  it('kafkajs: a listing in, its decision out', async () => {
    const code = here(snippet('js', 'kafkajs'), 'shop-floor')
    writeFileSync(join(folder, 'try.mjs'), code)
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
    const { out } = await runProgram(process.execPath, [join(folder, 'try.mjs')], 'the kafkajs program')
    expect(out).toMatch(/^[0-9a-f-]{36} L-3 1 block$/m)
  })
})
