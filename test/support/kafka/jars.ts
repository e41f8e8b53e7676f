// Gets a Kafka from Maven Central once per machine: its jars, held to the committed sums, and a formatted log to copy.
import { hash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Java } from './java-home.ts'
import { runProgram } from './program.ts'
import { serverProperties } from './properties.ts'
import { checkSums, readSums } from './sums.ts'
import { USERS } from './users.ts'
import type { KafkaVersion } from './versions.ts'

const here = dirname(fileURLToPath(import.meta.url))

/** Every JVM of the tests: they live for seconds, so the second compiler and the parallel collector would only cost. */
export const FAST = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'] as const

export interface Jars {
  readonly version: KafkaVersion
  /** `lib/` with the jars, and beside it what is made of them. */
  readonly folder: string
  readonly classpath: string
  /** JVM option that names the log settings: only warnings, on the console. */
  readonly logging: string
  /** What the first record of a formatted log folder is; holds the SCRAM users, and no name of a cluster. */
  readonly checkpoint: string
}

/** Whether a first use would have to ask the network. */
export async function areCached(version: KafkaVersion): Promise<boolean> {
  return existsSync(join(await folderOf(version), 'lib'))
}

/**
 * The jars of this version, from the cache or from Maven Central, with one line on the error stream when they are
 * fetched. Throws when one of them is not the one that the sums name.
 */
export async function kafkaJars(version: KafkaVersion, java: Java): Promise<Jars> {
  const folder = await folderOf(version)
  if (existsSync(folder)) await checkSums(join(folder, 'lib'), await sumsOf(version))
  else await fill(version, java, folder)
  return jarsIn(version, folder)
}

async function jarsIn(version: KafkaVersion, folder: string): Promise<Jars> {
  const lib = join(folder, 'lib')
  // Named one by one and sorted: an archive of loaded classes fits only the class path it was made with.
  const classpath = (await readdir(lib)).toSorted().map((name) => join(lib, name))
  const logging = version.startsWith('3.')
    ? `-Dlog4j.configuration=file:${join(here, 'log4j.properties')}`
    : `-Dlog4j2.configurationFile=file:${join(here, 'log4j2.properties')}`
  return { version, folder, classpath: classpath.join(':'), logging, checkpoint: join(folder, 'bootstrap.checkpoint') }
}

/** Named after what must be in it, so that a change of the jars or the users never meets what an older checkout left. */
async function folderOf(version: KafkaVersion): Promise<string> {
  const wanted = `${await readFile(sumsFile(version), 'utf8')}${JSON.stringify(USERS)}`
  const cache = process.env['XDG_CACHE_HOME']
  const base = cache === undefined || cache === '' ? join(homedir(), '.cache') : cache
  return join(base, 'touchstone', `kafka-${version}-${hash('sha256', wanted).slice(0, 8)}`)
}

const sumsFile = (version: KafkaVersion) => join(here, `SHA256SUMS-${version}`)

async function sumsOf(version: KafkaVersion): Promise<ReadonlyMap<string, string>> {
  return readSums(await readFile(sumsFile(version), 'utf8'))
}

/** In a folder of its own that gets its name when it is whole: two test runs at once do not meet, the later one throws its own away. */
async function fill(version: KafkaVersion, java: Java, folder: string): Promise<void> {
  await mkdir(dirname(folder), { recursive: true })
  const own = await mkdtemp(`${folder}.`)
  try {
    process.stderr.write(`Fetching the jars of Kafka ${version} for the tests from Maven Central (45 MB, once) ...\n`)
    const begun = performance.now()
    // A copy of the pom: Maven must find nothing else of ours, and write nothing beside it.
    await copyFile(join(here, 'pom.xml'), join(own, 'pom.xml'))
    const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${join(own, 'lib')}`]
    const pom = ['-B', '-q', '-f', join(own, 'pom.xml'), `-Dkafka.version=${version}`]
    await runProgram('mvn', [...pom, ...goal], `fetching the jars of Kafka ${version}`)
    await rm(join(own, 'pom.xml'))
    await checkSums(join(own, 'lib'), await sumsOf(version))
    await format(await jarsIn(version, own), java)
    await rename(own, folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error
    })
    process.stderr.write(`Kafka ${version} is there after ${((performance.now() - begun) / 1000).toFixed(1)} s.\n`)
  } finally {
    await rm(own, { recursive: true, force: true })
  }
}

/** Kafka's own tool takes a second for two small files: once for all brokers, which get `meta.properties` of their own. */
async function format({ classpath, logging, checkpoint }: Jars, { home }: Java): Promise<void> {
  const data = `${checkpoint}.data`
  const properties = `${checkpoint}.properties`
  await writeFile(
    properties,
    serverProperties({ id: 1, data, voters: [9], listeners: [{ name: 'PLAIN', port: 8, protocol: 'PLAINTEXT' }] }),
  )
  const scram = USERS.flatMap(({ name, password }) =>
    ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((kind) => [
      '--add-scram',
      `${kind}=[name=${name},password=${password}]`,
    ]),
  )
  const tool = ['kafka.tools.StorageTool', 'format', '-t', 'MkU3OEVBNTcwNTJENDM2Qg', '-c', properties, ...scram]
  const options = ['-Xmx128m', ...FAST, '-cp', classpath, logging]
  await runProgram(join(home, 'bin', 'java'), [...options, ...tool], 'formatting a log folder')
  await copyFile(join(data, 'bootstrap.checkpoint'), checkpoint)
  await rm(data, { recursive: true })
  await rm(properties)
}
